// Package postmark reads the webhooks of Postmark: what became of a message, what its recipients did, changes of suppressions, and mail
// that came in.
//
// Sources: postmarkapp.com/developer/webhooks, and postmarkapp.com/support/article/understanding-inbound-webhook-retries-in-postmark.
package postmark

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/postmark/settings"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Postmark"

// Kind describes Postmark.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	if _, err := settings.Parse(data); err != nil {
		return nil, fmt.Errorf("postmark: %w", err)
	}
	return webhook{}, nil
}

// Authenticates reports that Postmark signs nothing.
func (webhook) Authenticates() bool { return false }

// Verify accepts everything: the endpoint rests on the further factors, without which there is none.
func (webhook) Verify(context.Context, *provider.Request) (provider.Proof, error) {
	return provider.Proof{}, nil
}
