// Package emailengine reads the webhooks of EmailEngine: submissions, bounces, complaints, tracking, and what happens in
// the mailboxes and accounts that it watches.
//
// Sources: the repository github.com/postalsys/emailengine (workers/webhooks.js, lib/webhooks.js, lib/tools.js) and
// learn.emailengine.app/docs/receiving/webhooks.
package emailengine

import "github.com/mailvane/mailvane/receiver/provider"

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "EmailEngine"

// Kind describes EmailEngine.
func Kind() provider.Kind {
	return provider.Kind{
		Type:          Type,
		New:           newWebhook,
		DecodeHeaders: []string{eventIDHeader, customRouteHeader},
	}
}
