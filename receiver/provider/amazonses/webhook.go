// Package amazonses reads what Amazon SES tells of mail that was sent and received: through topics of Amazon SNS, with and without their
// envelope, and through EventBridge.
//
// Sources: docs.aws.amazon.com/ses/latest/dg, pages on event publishing, on feedback notifications and on receiving email; the event
// reference of EventBridge for Amazon SES.
package amazonses

import (
	"fmt"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/amazonses/settings"
	"github.com/mailvane/mailvane/receiver/provider/sns"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "AmazonSES"

// Kind describes Amazon SES.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: sns.DecodeHeaders()}
}

// webhook is one endpoint.
type webhook struct{ sns.Endpoint }

func newWebhook(data []byte, env provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("amazonses: %w", err)
	}
	return &webhook{sns.Endpoint{
		Provider: Type, Service: service(), Topics: s.Topics, Manual: s.Manual, OnlyVersion2: s.OnlyVersion2, RawDelivery: s.RawDelivery,
		Pinned: s.Pinned, Certificates: keys.OnlyCertificates(env.Keys, env.HTTPClient),
	}}, nil
}
