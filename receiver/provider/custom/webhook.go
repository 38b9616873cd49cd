// Package custom reads webhooks of senders that Mailvane does not know, by settings: how they sign, and what their bodies mean.
package custom

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/custom/settings"
	"github.com/mailvane/mailvane/receiver/provider/mapping"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Custom"

// Kind describes senders that settings describe.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: append(scheme.DecodeHeaders(), mapping.ContentType)}
}

// webhook is one endpoint.
type webhook struct{ settings.Parsed }

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("custom: %w", err)
	}
	return &webhook{s}, nil
}

// Authenticates reports whether requests are signed.
func (w *webhook) Authenticates() bool { return w.Signatures != nil }

// Verify checks the signature of a request.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	if w.Signatures == nil {
		return provider.Proof{}, nil
	}
	return w.Signatures.Verify(r)
}

// DecodeHeaders are those that the mapping reads.
func (w *webhook) DecodeHeaders() []string { return w.Mapping.DecodeHeaders() }

// Decode reads a request by the mapping.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	origin := mapping.Origin{Provider: Type}
	if w.HasMessageID {
		origin.Message = scheme.ID(r.Header)
	}
	return w.Mapping.Decode(r, origin)
}
