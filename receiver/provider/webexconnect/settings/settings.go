// Package settings reads the settings of an endpoint of Webex Connect, apart from what decodes its requests.
package settings

import (
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Keys are the hub secrets that are valid now. Without any the provider signs nothing, and the endpoint rests on another factor,
	// which admission and the loader of the configuration ask for.
	Keys signature.Keys
	// Algorithm is SHA256 unless set; SHA1 is for webhooks from before platform version 5.6.0.
	Algorithm SignatureAlgorithm
}

// Parse decodes an endpoint's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte) (Parsed, error) {
	s := Settings{SignatureAlgorithm: SHA256}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	keys, err := signature.NewKeys(s.HubSecrets)
	if err != nil {
		return Parsed{}, fmt.Errorf("hubSecrets: %w", err)
	}
	switch s.SignatureAlgorithm {
	case "":
		s.SignatureAlgorithm = SHA256
	case SHA256, SHA512, SHA1:
	default:
		return Parsed{}, errors.New("signatureAlgorithm: must be SHA256, SHA512 or SHA1")
	}
	return Parsed{Keys: keys, Algorithm: s.SignatureAlgorithm}, nil
}
