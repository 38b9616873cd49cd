// Package settings reads the settings of an endpoint of Loops, apart from what decodes its requests.
package settings

import (
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/settings"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Signatures checks the signatures of the secrets that are valid now.
	Signatures scheme.StandardWebhooks
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
	signatures, err := scheme.NewStandardWebhooks(s.SigningSecrets, nil, tolerance)
	return Parsed{Signatures: signatures}, err
}
