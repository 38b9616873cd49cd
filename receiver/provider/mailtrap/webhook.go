// Package mailtrap reads the webhooks of Mailtrap: what became of a message and what its recipients did, as one JSON document or as
// JSON Lines.
//
// Sources: docs.mailtrap.io/email-api-smtp/advanced/webhooks, and the types and the test vector that the official SDKs share.
package mailtrap

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailtrap/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Mailtrap"

// The header that holds the hexadecimal HMAC-SHA256 of the body, and what a page calls it for mail that comes in.
const (
	signatureHeader = "Mailtrap-Signature"
	inboundHeader   = "X-Mailtrap-Signature"
)

// Kind describes Mailtrap.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{ signed, inbound scheme.HMAC }

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("mailtrap: %w", err)
	}
	in := func(header string) scheme.HMAC {
		return scheme.NewHMAC(s.Keys, scheme.HMACForm{Header: header, Hash: sha256.New, Encoding: signature.DecodeHex})
	}
	return &webhook{signed: in(signatureHeader), inbound: in(inboundHeader)}, nil
}

// Authenticates reports whether there are signing secrets.
func (w *webhook) Authenticates() bool { return len(w.signed.Keys) > 0 }

// Verify checks the HMAC of the raw body. Without secrets there is nothing to check: such an endpoint is let in only with another factor.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	switch {
	case !w.Authenticates():
		return provider.Proof{}, nil
	case len(r.Header[signatureHeader]) == 0 && len(r.Header[inboundHeader]) > 0:
		return w.inbound.Verify(r)
	default:
		return w.signed.Verify(r)
	}
}
