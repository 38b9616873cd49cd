// Package settings reads the settings of an endpoint of Mandrill, apart from what decodes its requests.
package settings

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// maxURLs bounds how often one request is hashed with each key.
const maxURLs = 4

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Keys are the webhook keys that are valid now; at least one.
	Keys signature.Keys
	// URLs are those that were typed at Mandrill, each as it was typed; none = they are what requests say of themselves.
	URLs []string
}

// Parse decodes an endpoint's settings and refuses what cannot work. No error holds a credential, of which a URL may have one.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	keys, err := signature.NewKeys(s.WebhookKeys)
	if err != nil {
		return Parsed{}, fmt.Errorf("webhookKeys: %w", err)
	}
	if len(keys) == 0 {
		return Parsed{}, errors.New("webhookKeys: must hold at least one key")
	}
	if len(s.PublicURLs) > maxURLs {
		return Parsed{}, fmt.Errorf("publicURLs: must hold at most %d", maxURLs)
	}
	for i, text := range s.PublicURLs {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "" {
			return Parsed{}, fmt.Errorf("publicURLs[%d]: must be an absolute http or https URL without a fragment", i)
		}
	}
	return Parsed{Keys: keys, URLs: s.PublicURLs}, nil
}
