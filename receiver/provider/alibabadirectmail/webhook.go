// Package alibabadirectmail reads the events of Alibaba Cloud DirectMail, as an HTTP target of EventBridge gets them: what became of
// messages, and what their recipients did.
//
// Sources: of alibabacloud.com/help/en the pages eventbridge/user-guide/events-of-the-direct-mail-type and
// direct-mail/user-guide/set-up-eventbridge, and CloudEvents 1.0.
package alibabadirectmail

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/alibabadirectmail/settings"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "AlibabaDirectMail"

// Kind describes Alibaba DirectMail.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	if _, err := settings.Parse(data); err != nil {
		return nil, fmt.Errorf("alibabadirectmail: %w", err)
	}
	return webhook{}, nil
}

// Authenticates reports that nothing shows who sends: what EventBridge signs is not checked.
func (webhook) Authenticates() bool { return false }

// Verify accepts everything: the endpoint rests on the further factors, without which there is none.
func (webhook) Verify(context.Context, *provider.Request) (provider.Proof, error) {
	return provider.Proof{}, nil
}
