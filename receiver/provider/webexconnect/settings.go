package webexconnect

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// settings are the provider's member of a WebhookEndpoint with its secret references replaced by their values.
type settings struct {
	// HubSecrets are the hub secrets that are valid now. Without any the provider signs nothing, and the endpoint
	// rests on another factor, which admission and the loader of the configuration ask for.
	HubSecrets []string `json:"hubSecrets"`
	// SignatureAlgorithm is SHA256 (the default), SHA512, or SHA1 for webhooks from before platform version 5.6.0.
	SignatureAlgorithm string `json:"signatureAlgorithm"`
}

// algorithm is one choice of the webhook's configuration.
type algorithm struct {
	newHash func() hash.Hash
	size    int
	// prefix may stand before the digest in the header; the provider's pages show it with and without.
	prefix string
}

// webhook is one endpoint.
type webhook struct {
	keys      signature.Keys
	macs      signature.MACs
	algorithm algorithm
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	w, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("webexconnect: %w", err)
	}
	return w, nil
}

func parse(data []byte) (*webhook, error) {
	var s settings
	if err := wire.DecodeSettings(data, &s); err != nil {
		return nil, err
	}
	keys, err := signature.NewKeys(s.HubSecrets)
	if err != nil {
		return nil, fmt.Errorf("hubSecrets: %w", err)
	}
	chosen, err := algorithmNamed(s.SignatureAlgorithm)
	if err != nil {
		return nil, err
	}
	return &webhook{keys: keys, macs: keys.MACs(chosen.newHash), algorithm: chosen}, nil
}

func algorithmNamed(name string) (algorithm, error) {
	switch name {
	case "", "SHA256":
		return algorithm{newHash: sha256.New, size: sha256.Size, prefix: "sha256="}, nil
	case "SHA512":
		return algorithm{newHash: sha512.New, size: sha512.Size, prefix: "sha512="}, nil
	case "SHA1":
		return algorithm{newHash: sha1.New, size: sha1.Size, prefix: "sha1="}, nil
	default:
		return algorithm{}, errors.New("signatureAlgorithm: must be SHA256, SHA512 or SHA1")
	}
}
