// Package tencentses reads the callbacks of Tencent Cloud SES: what became of messages, and what their recipients did.
//
// Sources: tencentcloud.com/document/product/1084/39492 (the events), …/1084/40183 (callback addresses), and
// cloud.tencent.com/document/api/1288/53443 (the events as they were before 2022).
package tencentses

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/tencentses/settings"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "TencentSES"

// Kind describes Tencent SES.
func Kind() provider.Kind { return provider.Kind{Type: Type, New: newWebhook} }

// webhook is one endpoint.
type webhook struct{}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	if _, err := settings.Parse(data); err != nil {
		return nil, fmt.Errorf("tencentses: %w", err)
	}
	return webhook{}, nil
}

// Authenticates reports that Tencent documents no signature.
func (webhook) Authenticates() bool { return false }

// Verify accepts everything: the endpoint rests on the further factors, without which there is none.
func (webhook) Verify(context.Context, *provider.Request) (provider.Proof, error) {
	return provider.Proof{}, nil
}
