// Package mailersend reads the webhooks of MailerSend: what became of a message and what its recipients did, in both versions of its
// bodies, and the mail that its inbound routes forward.
//
// Sources: developers.mailersend.com/api/v1/account/webhooks and …/inbound, and requests that the tests of other libraries hold.
package mailersend

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailersend/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "MailerSend"

// signatureHeader holds the hexadecimal HMAC-SHA256 of the body.
const signatureHeader = "Signature"

// The request by which MailerSend tries a URL before it saves a webhook, and the secret that signs it: the webhook has none yet, so it is
// one for all, which MailerSend's page shows to everybody.
const (
	ping = "webhook.test"
	//nolint:gosec // it is public, and opens nothing
	pingSecret = "test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G"
	// maxPing is above the length of a ping, in bytes. Longer bodies are not looked at for that.
	maxPing = 1 << 10
)

// Kind describes MailerSend.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{ signed, pinged scheme.HMAC }

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("mailersend: %w", err)
	}
	with := func(keys signature.Keys) scheme.HMAC {
		return scheme.NewHMAC(keys, scheme.HMACForm{Header: signatureHeader, Hash: sha256.New, Encoding: signature.DecodeHex})
	}
	return &webhook{signed: with(s.Keys), pinged: with(signature.Keys{[]byte(pingSecret)})}, nil
}

// Verify checks the HMAC of the raw body with the secrets of the endpoint. That of pings is not among them.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	return w.signed.Verify(r)
}

// Methods returns none: MailerSend asks with POST.
func (w *webhook) Methods() []string { return nil }

// Handshake accepts a ping that is signed with the secret that everybody knows. It says nothing but that, and nothing of it is kept.
func (w *webhook) Handshake(r *provider.Request) (provider.Reply, bool) {
	if r.Method != http.MethodPost || len(r.Body) > maxPing {
		return provider.Reply{}, false
	}
	if _, err := w.pinged.Verify(r); err != nil {
		return provider.Reply{}, false
	}
	isPing := false
	err := wire.Single(r.Body, func(i wire.Item) error {
		isPing = i.Text(typeName) == ping && i.JSON(dataName) == ""
		return nil
	})
	return provider.Reply{}, isPing && err == nil
}
