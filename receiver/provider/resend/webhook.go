// Package resend reads the webhooks of Resend: what became of a message, what its recipients did, messages that came in, and changes of
// contacts, domains and the list of suppressed addresses.
//
// Sources: resend.com/docs/webhooks (event types, verification, retries) and the types of resend-node and resend-go.
package resend

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/resend/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Resend"

// Kind describes Resend.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: scheme.DecodeHeaders()}
}

// webhook is one endpoint.
type webhook struct {
	signatures scheme.StandardWebhooks
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("resend: %w", err)
	}
	return &webhook{signatures: s.Signatures}, nil
}

// Verify checks the signature over id, time and body.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	return w.signatures.Verify(r)
}
