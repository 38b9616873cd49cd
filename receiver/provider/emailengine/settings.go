package emailengine

import (
	"crypto/sha256"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/emailengine/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/signature"
)

// webhook is one endpoint.
type webhook struct{ signed scheme.HMAC }

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("emailengine: %w", err)
	}
	form := scheme.HMACForm{Header: signatureHeader, Hash: sha256.New, Encoding: signature.DecodeBase64URL}
	return &webhook{signed: scheme.NewHMAC(s.Keys, form)}, nil
}
