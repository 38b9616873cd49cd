// Package mailchannels reads the delivery events of MailChannels Email API, which come in arrays of up to 1,000.
//
// Sources: docs.mailchannels.com/email-api/webhooks, /webhook-schema and /webhook-retries, the OpenAPI document of the
// Email API, and the provider's own SDKs for the signature.
package mailchannels

import "github.com/mailvane/mailvane/receiver/provider"

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "MailChannels"

// Kind describes MailChannels.
func Kind() provider.Kind {
	return provider.Kind{
		Type: Type,
		New:  newWebhook,
	}
}
