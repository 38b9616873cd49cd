// Package mailjet reads the webhooks of Mailjet: what became of a message, what its recipients did, and mail that came in (Parse API).
//
// Sources: dev.mailjet.com/email/guides/webhooks and dev.mailjet.com/email/guides/parse-api.
package mailjet

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailjet/settings"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Mailjet"

// Kind describes Mailjet.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	if _, err := settings.Parse(data); err != nil {
		return nil, fmt.Errorf("mailjet: %w", err)
	}
	return webhook{}, nil
}

// Authenticates reports that Mailjet signs nothing.
func (webhook) Authenticates() bool { return false }

// Verify accepts everything: the endpoint rests on the further factors, without which there is none.
func (webhook) Verify(context.Context, *provider.Request) (provider.Proof, error) {
	return provider.Proof{}, nil
}
