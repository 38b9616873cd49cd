// Package settings reads the settings of an endpoint of SendGrid, apart from what decodes its requests.
package settings

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/settings"
)

// maxKeys bounds how often one request is verified.
const maxKeys = 8

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Keys are the verification keys that are valid now. Without any nothing is signed, and the endpoint rests on another factor, which
	// admission and the loader of the configuration ask for.
	Keys []*ecdsa.PublicKey
	// Tolerance bounds the age of a signature; 0 = any.
	Tolerance time.Duration
}

// Parse decodes an endpoint's settings and refuses what cannot work.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{Tolerance: time.Duration(s.ToleranceSeconds) * time.Second}
	if p.Tolerance < 0 {
		return Parsed{}, errors.New("toleranceSeconds: must not be negative")
	}
	if len(s.PublicKeys) > maxKeys {
		return Parsed{}, fmt.Errorf("publicKeys: must hold at most %d", maxKeys)
	}
	for i, text := range s.PublicKeys {
		parsed, err := scheme.ParsePublicKey(text)
		if err != nil {
			return Parsed{}, fmt.Errorf("publicKeys[%d]: %w", i, err)
		}
		key, ok := parsed.(*ecdsa.PublicKey)
		if !ok || key.Curve != elliptic.P256() {
			return Parsed{}, fmt.Errorf("publicKeys[%d]: must be a key of ECDSA with P-256, which is what SendGrid shows", i)
		}
		p.Keys = append(p.Keys, key)
	}
	return p, nil
}
