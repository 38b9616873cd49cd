// Package webexconnect reads the outbound webhooks of Webex Connect for email: delivery receipts of a service, and
// incoming messages, unsubscriptions and subscriptions of an email app.
//
// Sources: developers.webexconnect.io/reference/email-outbound-webhooks and /reference/outbound-webhooks,
// help.webexconnect.io/docs/outbound-webhooks, and the table of channel specific status codes.
package webexconnect

import (
	"embed"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "WebexConnect"

//go:embed samples/*.http
var sampleFiles embed.FS

// Kind describes Webex Connect.
func Kind() provider.Kind {
	return provider.Kind{
		Type:    Type,
		New:     newWebhook,
		Samples: wire.Samples(sampleFiles),
		Sign:    sign,
		Freshen: freshen,
	}
}
