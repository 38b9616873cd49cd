// Package mandrill reads the webhooks of Mailchimp Transactional, formerly Mandrill: what became of a message, what its recipients did,
// changes of the lists of addresses that are never or always sent to, and mail that came in.
//
// Sources: mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks, and a request that Mandrill sent.
package mandrill

import (
	"crypto/sha1"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mandrill/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "Mandrill"

// Kind describes Mandrill.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: []string{"Content-Type"}}
}

// webhook is one endpoint.
type webhook struct {
	macs signature.MACs
	// urls are what Mandrill was told to post to; none = what a request says of itself.
	urls []string
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("mandrill: %w", err)
	}
	return &webhook{macs: s.Keys.MACs(sha1.New), urls: s.URLs}, nil
}
