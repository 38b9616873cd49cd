// Package settings reads the settings of an endpoint of EmailEngine, apart from what decodes its requests.
package settings

import (
	"fmt"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Keys are the values of EmailEngine's setting serviceSecret that are valid now. Without any, signatures are not checked, and the
	// endpoint rests on another factor, which admission and the loader of the configuration ask for. EmailEngine signs since version
	// 2.53.1.
	Keys signature.Keys
}

// Parse decodes an endpoint's settings and refuses what cannot work. No error holds a credential.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	keys, err := signature.NewKeys(s.ServiceSecrets)
	if err != nil {
		return Parsed{}, fmt.Errorf("serviceSecrets: %w", err)
	}
	return Parsed{Keys: keys}, nil
}
