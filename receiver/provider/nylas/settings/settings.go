// Package settings reads the settings of an endpoint of Nylas, apart from what decodes its requests.
package settings

import (
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Keys are the webhook secrets that are valid now: their texts, which are not decoded.
	Keys signature.Keys
}

// Parse decodes an endpoint's settings and refuses what cannot work. No error holds a credential.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	keys, err := scheme.NeedKeys(s.WebhookSecrets)
	if err != nil {
		return Parsed{}, fmt.Errorf("webhookSecrets: %w", err)
	}
	return Parsed{Keys: keys}, nil
}
