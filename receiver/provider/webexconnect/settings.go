package webexconnect

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/provider/webexconnect/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// webhook is one endpoint.
type webhook struct{ signed scheme.HMAC }

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("webexconnect: %w", err)
	}
	return &webhook{signed: scheme.NewHMAC(s.Keys, formOf(s.Algorithm))}, nil
}

// formOf returns how the hash is written. The prefix may stand before it; the provider's pages show it with and without.
func formOf(algorithm settings.SignatureAlgorithm) scheme.HMACForm {
	form := scheme.HMACForm{Header: signatureHeader, Encoding: signature.DecodeHex}
	switch algorithm {
	case settings.SHA512:
		form.Hash, form.Prefix = sha512.New, "sha512="
	case settings.SHA1:
		form.Hash, form.Prefix = sha1.New, "sha1="
	default:
		form.Hash, form.Prefix = sha256.New, "sha256="
	}
	return form
}
