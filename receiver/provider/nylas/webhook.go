// Package nylas reads the webhooks of Nylas v3: what happens in the mailboxes that it watches, what became of mail that was sent through
// them, what recipients did, and the state of grants.
//
// Sources: developer.nylas.com/docs/v3/notifications, developer.nylas.com/docs/reference/notifications.
package nylas

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/nylas/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Nylas"

// signatureHeader holds the hexadecimal HMAC-SHA256 of the body as it was sent. Pages and SDKs write it in either letter case.
const signatureHeader = "X-Nylas-Signature"

// Kind describes Nylas. With compressed_delivery its bodies are compressed, and so signed.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook, TakesGzip: true} }

// webhook is one endpoint.
type webhook struct{ signed scheme.HMAC }

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("nylas: %w", err)
	}
	form := scheme.HMACForm{Header: signatureHeader, Hash: sha256.New, Encoding: signature.DecodeHex}
	return &webhook{signed: scheme.NewHMAC(s.Keys, form)}, nil
}

// Verify checks the HMAC of the raw body.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	return w.signed.Verify(r)
}
