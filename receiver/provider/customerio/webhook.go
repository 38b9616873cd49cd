// Package customerio reads the reporting webhooks of Customer.io: what became of the emails of campaigns, broadcasts and transactional
// messages, and what their recipients did.
//
// Sources: docs.customer.io/integrations/data-out/connections/webhooks, and three independent receivers for what is signed.
package customerio

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/customerio/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "CustomerIO"

// The headers that hold the time of the signature in seconds, and the hexadecimal HMAC-SHA256 of version, time and body.
const (
	timeHeader      = "X-Cio-Timestamp"
	signatureHeader = "X-Cio-Signature"
	version         = "v0"
)

// Kind describes Customer.io.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct {
	macs      signature.MACs
	tolerance time.Duration
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("customerio: %w", err)
	}
	return &webhook{macs: s.Keys.MACs(sha256.New), tolerance: s.Tolerance}, nil
}

// Verify checks the HMAC of time and body, and the time.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	return scheme.Proved(w.verify(r))
}

func (w *webhook) verify(r *provider.Request) (position int, err error) {
	stamp, err := signature.Header(r.Header, timeHeader)
	if err != nil {
		return 0, err
	}
	text, err := signature.Header(r.Header, signatureHeader)
	if err != nil {
		return 0, err
	}
	mac := make([]byte, sha256.Size)
	if err := signature.DecodeHex(mac, text); err != nil {
		return 0, err
	}
	position, ok := w.macs.Match(mac, []byte(version+":"+stamp+":"), r.Body)
	if !ok {
		return 0, signature.ErrMismatch
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return 0, signature.ErrMalformed
	}
	return position, signature.CheckTime(time.Unix(seconds, 0), r.ReceivedAt, w.tolerance)
}
