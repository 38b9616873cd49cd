// Package mailpace reads the webhooks of MailPace: what became of a message.
//
// Source: docs.mailpace.com/guide/webhooks.
package mailpace

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailpace/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "MailPace"

// signatureHeader holds the base64 of the Ed25519 signature of the raw body.
const signatureHeader = "X-Mailpace-Signature"

// Kind describes MailPace.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{ keys []ed25519.PublicKey }

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("mailpace: %w", err)
	}
	return &webhook{keys: s.Keys}, nil
}

// Verify checks the signature of the raw body.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	return scheme.Proved(w.verify(r))
}

func (w *webhook) verify(r *provider.Request) (position int, err error) {
	text, err := signature.Header(r.Header, signatureHeader)
	if err != nil {
		return 0, err
	}
	value := make([]byte, ed25519.SignatureSize)
	if err := signature.DecodeBase64(value, text); err != nil {
		return 0, err
	}
	for i, key := range w.keys {
		if ed25519.Verify(key, r.Body, value) {
			return i, nil
		}
	}
	return 0, signature.ErrMismatch
}
