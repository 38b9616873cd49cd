// Package settings reads the settings of an endpoint of MailPace, apart from what decodes its requests.
package settings

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Keys are the public keys of the domains; at least one.
	Keys []ed25519.PublicKey
}

// Parse decodes an endpoint's settings and refuses what cannot work.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	if len(s.PublicKeys) == 0 {
		return Parsed{}, errors.New("publicKeys: must hold at least one key")
	}
	var p Parsed
	for i, text := range s.PublicKeys {
		key, err := signature.ParsePublicKey(text)
		if err != nil {
			return Parsed{}, fmt.Errorf("publicKeys[%d]: %w", i, err)
		}
		p.Keys = append(p.Keys, key)
	}
	return p, nil
}
