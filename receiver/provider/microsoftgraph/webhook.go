// Package microsoftgraph reads change notifications of Microsoft Graph for mail, with and without the message, and what Graph says of its
// subscriptions.
//
// Sources: learn.microsoft.com/graph/change-notifications-delivery-webhooks, change-notifications-with-resource-data,
// change-notifications-lifecycle-events, and graph/api/resources (changenotification, changenotificationencryptedcontent).
package microsoftgraph

import (
	"crypto/rsa"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/microsoftgraph/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "MicrosoftGraph"

// Kind describes Microsoft Graph.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct {
	states  signature.Keys
	tenants []string
	keys    map[string]*rsa.PrivateKey
	tokens  *tokens // nil = none is asked for
	inbox   bool
}

func newWebhook(data []byte, env provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("microsoftgraph: %w", err)
	}
	w := &webhook{states: s.States, tenants: s.Tenants, keys: s.Keys, inbox: s.Inbox}
	if s.Tokens != nil {
		w.tokens = newTokens(s.Tenants, s.Tokens, env)
	}
	return w, nil
}
