// Package engagelab reads the webhooks of EngageLab Email: what became of a message, what its recipients did, and
// messages that came in on a receiving route.
//
// Sources: engagelab.com/docs/email/webhook/webhook and /learn-about-webhook in several languages, which contradict each
// other about the signature, and aurorasendcloud.com/docs/zh/API/deliver_response for the error subcategories.
package engagelab

import "github.com/mailvane/mailvane/receiver/provider"

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "EngageLab"

// Kind describes EngageLab.
func Kind() provider.Kind {
	return provider.Kind{
		Type: Type,
		New:  newWebhook,
	}
}
