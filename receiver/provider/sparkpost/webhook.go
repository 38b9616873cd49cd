// Package sparkpost reads the webhooks of SparkPost, also called Bird Email: what became of a message, what its recipients did, and mail
// that came in (relay webhooks).
//
// Sources: developers.sparkpost.com/api/webhooks and /api/relay-webhooks, support.sparkpost.com/docs/tech-resources/open-pixel-location
// and the table of bounce classification codes.
package sparkpost

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/sparkpost/settings"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "SparkPost"

// Kind describes SparkPost.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	if _, err := settings.Parse(data); err != nil {
		return nil, fmt.Errorf("sparkpost: %w", err)
	}
	return webhook{}, nil
}

// Authenticates reports that SparkPost signs nothing.
func (webhook) Authenticates() bool { return false }

// Verify accepts everything: the endpoint rests on the further factors, without which there is none.
func (webhook) Verify(context.Context, *provider.Request) (provider.Proof, error) {
	return provider.Proof{}, nil
}
