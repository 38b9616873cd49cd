// Package settings reads the settings of an endpoint of Mailgun, apart from what decodes its requests.
package settings

import (
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Keys are the signing keys that are valid now; at least one.
	Keys signature.Keys
	// Tolerance is how far the signed time may lie from now; 0 = any.
	Tolerance time.Duration
}

// Parse decodes an endpoint's settings and refuses what cannot work. No error holds a credential. BodyIntegrity is for admission alone.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	keys, err := scheme.NeedKeys(s.SigningKeys)
	if err != nil {
		return Parsed{}, fmt.Errorf("signingKeys: %w", err)
	}
	p := Parsed{Keys: keys, Tolerance: time.Duration(s.ToleranceSeconds) * time.Second}
	if p.Tolerance < 0 {
		return Parsed{}, errors.New("toleranceSeconds: must not be negative")
	}
	return p, nil
}
