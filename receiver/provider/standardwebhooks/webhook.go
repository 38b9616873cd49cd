// Package standardwebhooks reads webhooks that are signed by the specification of Standard Webhooks, whoever sends them. Bodies in the form
// of Resend's are known; of all others what is kept is all of it.
//
// Source: the specification (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md) and the libraries of Svix.
package standardwebhooks

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mapping"
	"github.com/mailvane/mailvane/receiver/provider/resend"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/provider/standardwebhooks/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "StandardWebhooks"

// Kind describes what signs by the specification.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: append(scheme.DecodeHeaders(), mapping.ContentType)}
}

// webhook is one endpoint.
type webhook struct {
	signatures scheme.StandardWebhooks
	// mapping says what the bodies mean; nil = nothing does.
	mapping *mapping.Mapping
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("standardwebhooks: %w", err)
	}
	return &webhook{signatures: s.Signatures, mapping: s.Mapping}, nil
}

// Verify checks the signature over id, time and body.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	return w.signatures.Verify(r)
}

// DecodeHeaders are those that the mapping reads.
func (w *webhook) DecodeHeaders() []string {
	if w.mapping == nil {
		return nil
	}
	return w.mapping.DecodeHeaders()
}

// Decode reads a request by the mapping. Without one it is one object. The specification names its members type, timestamp and data; other names are in
// use for the first two.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	if w.mapping != nil {
		return w.mapping.Decode(r, mapping.Origin{Provider: Type, Message: scheme.ID(r.Header)})
	}
	return scheme.One(r, func(item wire.Item) (event.Event, error) {
		e := event.Event{Provider: Type, ProviderEvent: wire.First(item.Text("type"), item.Text("event"), item.Text("eventName"))}
		wire.DateTime(wire.First(item.Text("timestamp"), item.Text("created_at"))).SetTime(&e, r.ReceivedAt)
		resend.Read(&e, item.Object, r)
		return e, nil
	})
}
