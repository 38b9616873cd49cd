// Package azurecommunicationservices reads the email events of Azure Communication Services as Event Grid posts them: delivery reports, and
// what recipients did.
//
// Sources: learn.microsoft.com/azure/event-grid (communication-services-email-events, both pages on endpoint validation, delivery and
// retry, secure webhook delivery), and the HTTP webhook specification of CloudEvents, section 4.
package azurecommunicationservices

import (
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/azurecommunicationservices/settings"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "AzureCommunicationServices"

// Kind describes Azure Communication Services.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook}
}

// webhook is one endpoint.
type webhook struct {
	subscriptions []string
	origins       []string
	// entra checks tokens; nil = none is asked for.
	entra *entra
}

func newWebhook(data []byte, env provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("azurecommunicationservices: %w", err)
	}
	w := &webhook{subscriptions: s.SubscriptionNames, origins: s.AllowedOrigins}
	if s.Entra != nil {
		w.entra = newEntra(s.Entra, env)
	}
	return w, nil
}

// Authenticates reports whether a token is asked for. Nothing else of a request shows who sent it.
func (w *webhook) Authenticates() bool { return w.entra != nil }
