package mailchannels

import (
	"context"

	"github.com/mailvane/mailvane/receiver/provider"
)

// Verify checks the HTTP message signature (RFC 9421) over the digest of the body. It proves that MailChannels sent the body,
// to whomever: path, host and customer are not signed. Decode therefore drops the items of other customers.
func (w *webhook) Verify(ctx context.Context, r *provider.Request) (provider.Proof, error) {
	id, err := w.verifier.Verify(ctx, r.Header, r.Body, r.ReceivedAt)
	return provider.Proof{Key: id}, provider.RefuseSignature(err)
}
