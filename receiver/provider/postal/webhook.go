// Package postal reads the webhooks of Postal 3, a mail server to run oneself: what became of a message, what its recipients did, limits and
// domains, and mail that came in (HTTP endpoints).
//
// Sources: Postal's own code, and docs.postalserver.io/developer/webhooks and /developer/http-payloads.
package postal

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/postal/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Postal"

// The headers that hold the id of the key, and the signature in base64: RSA (PKCS #1 v1.5) with SHA-256. X-Postal-Signature has SHA-1,
// which says nothing, and is all that Postal 2 sends.
const (
	keyHeader       = "X-Postal-Signature-Kid"
	signatureHeader = "X-Postal-Signature-256"
)

// maxSignature and maxKeyID bound what is read of the headers: a signature of a key of 8,192 bits, and more than ids have.
const (
	maxSignature = 1 << 10
	maxKeyID     = 128
)

// Kind describes Postal.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: []string{"Content-Type"}}
}

// webhook is one endpoint.
type webhook struct {
	pinned map[string]*rsa.PublicKey
	server *keys.Store[jose.JSONWebKey]
}

func newWebhook(data []byte, env provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("postal: %w", err)
	}
	w := &webhook{pinned: s.Pinned, server: keys.NewStore[jose.JSONWebKey](nil)}
	if s.JWKSURL != "" {
		w.server = keys.Set(env.Keys, env.HTTPClient, s.JWKSURL)
	}
	return w, nil
}

// Verify checks the signature over the raw body. It proves that the installation sent it, whichever of its mail servers it is about.
func (w *webhook) Verify(ctx context.Context, r *provider.Request) (provider.Proof, error) {
	id, err := w.verify(ctx, r)
	if err != nil {
		return provider.Proof{}, provider.RefuseSignature(err)
	}
	return provider.Proof{Key: id}, nil
}

func (w *webhook) verify(ctx context.Context, r *provider.Request) (id string, err error) {
	if id, err = signature.Header(r.Header, keyHeader); err != nil {
		return "", err
	}
	text, err := signature.Header(r.Header, signatureHeader)
	if err != nil {
		return "", err
	}
	value, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(value) > maxSignature || len(id) > maxKeyID {
		return "", signature.ErrMalformed
	}
	key, err := w.key(ctx, id, r.ReceivedAt)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(r.Body)
	return id, scheme.VerifyRSA(key, crypto.SHA256, digest[:], value)
}

// key finds a key among the pinned ones, then in the key set.
func (w *webhook) key(ctx context.Context, id string, now time.Time) (*rsa.PublicKey, error) {
	if key := w.pinned[id]; key != nil {
		return key, nil
	}
	found, err := w.server.Key(ctx, id, now)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says whether the key is unknown or could not be asked for
	}
	key, ok := found.Key.(*rsa.PublicKey)
	if !ok {
		return nil, signature.ErrUnknownKey
	}
	return key, nil
}
