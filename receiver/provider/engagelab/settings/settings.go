// Package settings reads the settings of an endpoint of EngageLab, apart from what decodes its requests.
package settings

import (
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// defaultTolerance is a day, the default of the dedupe window: no body is signed, so whoever has seen the headers of a request can send
// any other with them, and for no longer than that.
const defaultTolerance = 24 * time.Hour

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Keys are the app keys of the console that are valid now; at least one.
	Keys signature.Keys
	// Algorithm is Auto unless set.
	Algorithm SignatureAlgorithm
	// Tolerance is how far the signed time may lie from now; 0 = any. It is a day unless set.
	Tolerance time.Duration
}

// Parse decodes an endpoint's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
// BodyIntegrity is for admission alone.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	keys, err := signature.NewKeys(s.AppKeys)
	if err != nil {
		return Parsed{}, fmt.Errorf("appKeys: %w", err)
	}
	if len(keys) == 0 {
		return Parsed{}, errors.New("appKeys: must hold at least one key")
	}
	p := Parsed{Keys: keys, Algorithm: s.SignatureAlgorithm, Tolerance: defaultTolerance}
	if s.ToleranceSeconds != nil {
		p.Tolerance = time.Duration(*s.ToleranceSeconds) * time.Second
	}
	if p.Tolerance < 0 {
		return Parsed{}, errors.New("toleranceSeconds: must not be negative")
	}
	switch s.SignatureAlgorithm {
	case "":
		p.Algorithm = Auto
	case Auto, HMACSHA256, HMACSHA256ITime, MD5:
	default:
		return Parsed{}, errors.New("signatureAlgorithm: must be Auto, HMACSHA256, HMACSHA256ITime or MD5")
	}
	return p, nil
}
