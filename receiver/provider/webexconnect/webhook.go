// Package webexconnect reads the outbound webhooks of Webex Connect for email: delivery receipts of a service, and
// incoming messages, unsubscriptions and subscriptions of an email app.
//
// Sources: developers.webexconnect.io/reference/email-outbound-webhooks and /reference/outbound-webhooks,
// help.webexconnect.io/docs/outbound-webhooks, and the table of channel specific status codes.
package webexconnect

import "github.com/mailvane/mailvane/receiver/provider"

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "WebexConnect"

// Kind describes Webex Connect.
func Kind() provider.Kind {
	return provider.Kind{
		Type: Type,
		New:  newWebhook,
	}
}
