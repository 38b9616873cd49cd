// Package settings reads the settings of an endpoint of Postal, apart from what decodes its requests.
package settings

import (
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/settings"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Pinned are keys that need not be fetched, by their ids.
	Pinned map[string]*rsa.PublicKey
	// JWKSURL is where other keys are fetched; "" = nowhere.
	JWKSURL string
}

// Parse decodes an endpoint's settings and refuses what cannot work.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{Pinned: map[string]*rsa.PublicKey{}, JWKSURL: s.JWKSURL}
	if len(s.PublicKeys) == 0 && p.JWKSURL == "" {
		return Parsed{}, errors.New("publicKeys or jwksURL must be set")
	}
	if p.JWKSURL != "" {
		if err := keys.CheckURL(p.JWKSURL); err != nil {
			return Parsed{}, fmt.Errorf("jwksURL: %w", err)
		}
	}
	for i, k := range s.PublicKeys {
		if p.Pinned[k.ID] != nil || k.ID == "" {
			return Parsed{}, fmt.Errorf("publicKeys[%d].id: must be unique and not empty", i)
		}
		key, err := scheme.ParsePublicKey(k.Key)
		if err != nil {
			return Parsed{}, fmt.Errorf("publicKeys[%d].key: %w", i, err)
		}
		public, ok := key.(*rsa.PublicKey)
		if !ok {
			return Parsed{}, fmt.Errorf("publicKeys[%d].key: must be an RSA key", i)
		}
		p.Pinned[k.ID] = public
	}
	return p, nil
}
