package emailengine

import (
	"crypto/sha256"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// settings are the provider's member of a WebhookEndpoint with its secret references replaced by their values.
type settings struct {
	// ServiceSecrets are the values of EmailEngine's setting serviceSecret that are valid now. Without any, signatures are
	// not checked, and the endpoint rests on another factor, which admission and the loader of the configuration
	// ask for. EmailEngine signs since version 2.53.1.
	ServiceSecrets []string `json:"serviceSecrets"`
}

// webhook is one endpoint.
type webhook struct {
	keys signature.Keys
	macs signature.MACs
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	w, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("emailengine: %w", err)
	}
	return w, nil
}

func parse(data []byte) (*webhook, error) {
	var s settings
	if err := wire.DecodeSettings(data, &s); err != nil {
		return nil, err
	}
	keys, err := signature.NewKeys(s.ServiceSecrets)
	if err != nil {
		return nil, fmt.Errorf("serviceSecrets: %w", err)
	}
	return &webhook{keys: keys, macs: keys.MACs(sha256.New)}, nil
}
