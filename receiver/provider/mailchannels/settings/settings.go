// Package settings reads the settings of an endpoint of MailChannels, apart from what decodes its requests.
package settings

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// defaultPublicKeyURL answers {"id", "key"} for ?id=<keyid>, without an API key (OpenAPI: GET /webhook/public-key).
const defaultPublicKeyURL = "https://api.mailchannels.net/tx/v1/webhook/public-key"

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Handles are the accounts, sub-accounts included, whose events are taken; at least one. The key that signs is the same for every
	// customer of MailChannels, so only the handle tells whose events they are.
	Handles map[string]bool
	// Pinned are keys that need not be fetched, under the id that the keyid parameter of a signature names.
	Pinned map[string]ed25519.PublicKey
	// PublicKeyURL is where other keys are fetched: MailChannels' own unless set.
	PublicKeyURL string
	// Tolerance bounds the age of a signature; 0 = any.
	Tolerance time.Duration
}

// Parse decodes an endpoint's settings, completes them with the defaults and refuses what cannot work.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{
		Handles:      map[string]bool{},
		PublicKeyURL: s.PublicKeyURL,
		Tolerance:    time.Duration(s.ToleranceSeconds) * time.Second,
	}
	for _, h := range s.CustomerHandles {
		p.Handles[h] = true
	}
	if len(p.Handles) == 0 || p.Handles[""] {
		return Parsed{}, errors.New("customerHandles: must hold at least one handle, and no empty one")
	}
	if p.Tolerance < 0 {
		return Parsed{}, errors.New("toleranceSeconds: must not be negative")
	}
	if p.PublicKeyURL == "" {
		p.PublicKeyURL = defaultPublicKeyURL
	}
	if err := keys.CheckURL(p.PublicKeyURL); err != nil {
		return Parsed{}, fmt.Errorf("publicKeyURL: %w", err)
	}
	var err error
	p.Pinned, err = pinnedKeys(s.PublicKeys)
	return p, err
}

func pinnedKeys(list []PublicKey) (map[string]ed25519.PublicKey, error) {
	pinned := make(map[string]ed25519.PublicKey, len(list))
	for i, k := range list {
		key, err := signature.ParsePublicKey(k.Key)
		if err != nil {
			return nil, fmt.Errorf("publicKeys[%d].key: %w", i, err)
		}
		if _, twice := pinned[k.ID]; twice || k.ID == "" {
			return nil, fmt.Errorf("publicKeys[%d].id: must be unique and not empty", i)
		}
		pinned[k.ID] = key
	}
	return pinned, nil
}
