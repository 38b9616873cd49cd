package webexconnect

import (
	"context"
	"crypto/sha512"
	"strings"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/signature"
)

// signatureHeader holds the hexadecimal HMAC of the body, keyed with the hub secret.
const signatureHeader = "X-Hub-Signature"

// Verify checks the HMAC of the raw body. Without hub secrets there is nothing to check and every request passes: such
// an endpoint is let in only with another factor.
//
// The algorithm is the configured one. What the header says about it is never believed, only compared.
func (w *webhook) Verify(_ context.Context, r *provider.Request) error {
	if !w.Authenticates() {
		return nil
	}
	return provider.RefuseSignature(w.verify(r))
}

// Authenticates says whether there are hub secrets.
func (w *webhook) Authenticates() bool { return len(w.keys) > 0 }

func (w *webhook) verify(r *provider.Request) error {
	text, err := signature.Header(r.Header, signatureHeader)
	if err != nil {
		return err
	}
	var longest [sha512.Size]byte
	mac := longest[:w.algorithm.size]
	if err := signature.DecodeHex(mac, strings.TrimPrefix(text, w.algorithm.prefix)); err != nil {
		return err
	}
	if !w.macs.Match(mac, r.Body) {
		return signature.ErrMismatch
	}
	return nil
}
