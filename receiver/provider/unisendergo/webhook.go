// Package unisendergo reads the webhooks of Unisender Go: what became of messages and what their recipients did, one by one or many in a
// request.
//
// Source: godocs.unisender.ru/web-api-ref#callback-format.
package unisendergo

import (
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/unisendergo/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "UnisenderGo"

// Kind describes Unisender Go.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{ keys signature.Keys }

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("unisendergo: %w", err)
	}
	return &webhook{s.Keys}, nil
}
