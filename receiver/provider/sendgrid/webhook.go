// Package sendgrid reads the webhooks of Twilio SendGrid: the events of its Event Webhook, and the mail that its Inbound Parse hands over,
// parsed or raw.
//
// Sources: twilio.com/docs/sendgrid/for-developers/tracking-events/event, …/parsing-email/inbound-email and
// …/parsing-email/securing-your-parse-webhooks, and the OpenAPI description of its webhooks.
package sendgrid

import (
	"crypto/ecdsa"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/sendgrid/settings"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "SendGrid"

// Kind describes SendGrid.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: []string{contentType}}
}

// contentType says where the parts of a mail that came in begin and end.
const contentType = "Content-Type"

// webhook is one endpoint.
type webhook struct {
	keys      []*ecdsa.PublicKey
	tolerance time.Duration
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("sendgrid: %w", err)
	}
	return &webhook{keys: s.Keys, tolerance: s.Tolerance}, nil
}
