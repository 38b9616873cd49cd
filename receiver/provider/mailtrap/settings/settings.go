// Package settings reads the settings of an endpoint of Mailtrap, apart from what decodes its requests.
package settings

import (
	"fmt"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Keys are the signing secrets that are valid now: their texts, which are not decoded. Without any nothing is checked, and the endpoint
	// rests on another factor, which admission and the loader of the configuration ask for.
	Keys signature.Keys
}

// Parse decodes an endpoint's settings and refuses what cannot work. No error holds a credential.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	keys, err := signature.NewKeys(s.SigningSecrets)
	if err != nil {
		return Parsed{}, fmt.Errorf("signingSecrets: %w", err)
	}
	return Parsed{Keys: keys}, nil
}
