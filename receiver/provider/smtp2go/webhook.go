// Package smtp2go reads the webhooks of SMTP2GO: what became of a message and what its recipients did, in JSON and as a form.
//
// Sources: developers.smtp2go.com/docs/webhooks-overview and …/setup-a-webhook.
package smtp2go

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/smtp2go/settings"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "SMTP2GO"

// contentType says whether a body is a form.
const contentType = "Content-Type"

// Kind describes SMTP2GO.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: []string{contentType}}
}

// webhook is one endpoint.
type webhook struct{}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	if _, err := settings.Parse(data); err != nil {
		return nil, fmt.Errorf("smtp2go: %w", err)
	}
	return webhook{}, nil
}

// Authenticates reports that SMTP2GO signs nothing.
func (webhook) Authenticates() bool { return false }

// Verify accepts everything: the endpoint rests on the further factors, without which there is none.
func (webhook) Verify(context.Context, *provider.Request) (provider.Proof, error) {
	return provider.Proof{}, nil
}
