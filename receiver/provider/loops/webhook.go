// Package loops reads the webhooks of Loops: what became of the emails of campaigns, loops and transactional messages, what their
// recipients did, and changes of contacts.
//
// Source: loops.so/docs/webhooks.
package loops

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/loops/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Loops"

// Kind describes Loops.
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
		return nil, fmt.Errorf("loops: %w", err)
	}
	return &webhook{signatures: s.Signatures}, nil
}

// Verify checks the signature over id, time and body.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	return w.signatures.Verify(r)
}
