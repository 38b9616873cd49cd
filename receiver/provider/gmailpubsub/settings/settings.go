// Package settings reads the settings of an endpoint of Gmail's notifications, apart from what decodes its requests.
package settings

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/settings"
)

// Parse decodes an endpoint's settings and refuses what cannot work: an audience alone lets everybody in, for Google makes tokens with any.
func Parse(data []byte) (Settings, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Settings{}, err
	}
	switch {
	case len(s.Audiences) > 0 && len(s.ServiceAccounts) == 0:
		return Settings{}, errors.New("serviceAccounts: must name who may push: Google makes tokens with any audience for everybody")
	case len(s.ServiceAccounts) > 0 && len(s.Audiences) == 0:
		return Settings{}, errors.New("audiences: must name what the tokens are for, which is the push URL unless the subscription says otherwise")
	default:
		return s, nil
	}
}
