package webexconnect

import (
	"context"

	"github.com/mailvane/mailvane/receiver/provider"
)

// signatureHeader holds the hexadecimal HMAC of the body, keyed with the hub secret.
const signatureHeader = "X-Hub-Signature"

// Verify checks the HMAC of the raw body. Without hub secrets there is nothing to check and every request passes: such
// an endpoint is let in only with another factor.
//
// The algorithm is the configured one. What the header says about it is never believed, only compared.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	if !w.Authenticates() {
		return provider.Proof{}, nil
	}
	return w.signed.Verify(r)
}

// Authenticates reports whether there are hub secrets.
func (w *webhook) Authenticates() bool { return len(w.signed.Keys) > 0 }
