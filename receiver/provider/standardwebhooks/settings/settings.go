// Package settings reads the settings of an endpoint of Standard Webhooks, apart from what decodes its requests.
package settings

import (
	"fmt"

	"github.com/mailvane/mailvane/receiver/provider/mapping"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/settings"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Signatures checks the signatures of the keys that are valid now.
	Signatures scheme.StandardWebhooks
	// Mapping says what the bodies mean; nil = nothing does.
	Mapping *mapping.Mapping
}

// Parse decodes an endpoint's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	tolerance, err := scheme.Tolerance(s.ToleranceSeconds)
	if err != nil {
		return Parsed{}, err
	}
	signatures, err := scheme.NewStandardWebhooks(s.SigningSecrets, s.PublicKeys, tolerance)
	if err != nil || s.Mapping == nil {
		return Parsed{Signatures: signatures}, err
	}
	m, err := mapping.Compile(s.Mapping)
	if err != nil {
		return Parsed{}, fmt.Errorf("mapping: %w", err)
	}
	return Parsed{Signatures: signatures, Mapping: m}, nil
}
