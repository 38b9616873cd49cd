package mailchannels

import (
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailchannels/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// webhook is one endpoint.
type webhook struct {
	handles  map[string]bool
	verifier signature.MessageVerifier
}

func newWebhook(data []byte, env provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("mailchannels: %w", err)
	}
	public := newKeys(&s, env)
	return &webhook{handles: s.Handles, verifier: signature.MessageVerifier{Key: public.find, Tolerance: s.Tolerance}}, nil
}
