// Package mailgun reads the webhooks of Mailgun: its events, in JSON and in the form of before 2018, and the mail that its routes forward,
// parsed, raw or stored.
//
// Sources: documentation.mailgun.com/docs/mailgun/user-manual/webhooks and …/receive-forward-store, the types of mailgun-go, and the
// requests that the tests of other libraries hold.
package mailgun

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailgun/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Mailgun"

// Kind describes Mailgun.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: []string{contentType}}
}

// contentType says what kind of form a body is.
const contentType = "Content-Type"

// webhook is one endpoint.
type webhook struct {
	macs      signature.MACs
	tolerance time.Duration
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("mailgun: %w", err)
	}
	return &webhook{macs: s.Keys.MACs(sha256.New), tolerance: s.Tolerance}, nil
}
