// Package brevo reads the webhooks of Brevo, formerly Sendinblue: what became of transactional messages and of campaigns, one by one or in
// batches, changes of contacts, and mail that came in.
//
// Sources: developers.brevo.com/docs/transactional-webhooks, …/marketing-webhooks, …/batched-webhooks, …/inbound-parse-webhooks, and
// requests that the tests of other libraries hold.
package brevo

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/brevo/settings"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Brevo"

// Kind describes Brevo.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	if _, err := settings.Parse(data); err != nil {
		return nil, fmt.Errorf("brevo: %w", err)
	}
	return webhook{}, nil
}

// Authenticates reports that Brevo signs nothing.
func (webhook) Authenticates() bool { return false }

// Verify accepts everything: the endpoint rests on the further factors, without which there is none.
func (webhook) Verify(context.Context, *provider.Request) (provider.Proof, error) {
	return provider.Proof{}, nil
}
