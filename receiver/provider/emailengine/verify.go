package emailengine

import (
	"context"

	"github.com/mailvane/mailvane/receiver/provider"
)

// The headers of a webhook (workers/webhooks.js; there the two letters are EE), in the form that net/http keeps them in and
// otherwise makes at each look. Only the body is signed: no header is authentic.
const (
	// signatureHeader holds the HMAC-SHA256 of the raw body in unpadded base64url, keyed with the service secret.
	signatureHeader = "X-Ee-Wh-Signature"
	// eventIDHeader is the same for every attempt and for every route of one event.
	eventIDHeader = "X-Ee-Wh-Event-Id"
	// customRouteHeader names the custom route that sent the request; absent on the default route.
	customRouteHeader = "X-Ee-Wh-Custom-Route"
)

// Verify checks the HMAC of the raw body. Without service secrets there is nothing to check and every request passes:
// such an endpoint is let in only with another factor.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	if !w.Authenticates() {
		return provider.Proof{}, nil
	}
	return w.signed.Verify(r)
}

// Authenticates reports whether there are service secrets.
func (w *webhook) Authenticates() bool { return len(w.signed.Keys) > 0 }
