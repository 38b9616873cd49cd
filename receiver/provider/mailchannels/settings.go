package mailchannels

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// defaultPublicKeyURL answers {"id", "key"} for ?id=<keyid>, without an API key (OpenAPI: GET /webhook/public-key).
const defaultPublicKeyURL = "https://api.mailchannels.net/tx/v1/webhook/public-key"

// settings are the provider's member of a WebhookEndpoint.
type settings struct {
	// CustomerHandles are the accounts, sub-accounts included, whose events are taken. At least one is required: the key
	// that signs is the same for every customer of MailChannels, so only the handle tells whose events they are.
	CustomerHandles []string `json:"customerHandles"`
	// PublicKeys are keys that need not be fetched.
	PublicKeys []publicKey `json:"publicKeys"`
	// PublicKeyURL is where other keys are fetched; the default is MailChannels'.
	PublicKeyURL string `json:"publicKeyURL"`
	// ToleranceSeconds bounds the age of a signature; 0 is off.
	ToleranceSeconds int64 `json:"toleranceSeconds"`
}

// publicKey is an Ed25519 key under the id that the keyid parameter of a signature names.
type publicKey struct {
	ID  string `json:"id"`
	Key string `json:"key"`
}

// webhook is one endpoint.
type webhook struct {
	handles  map[string]bool
	verifier signature.MessageVerifier
}

func newWebhook(data []byte, env provider.Environment) (provider.Webhook, error) {
	w, err := parse(data, env)
	if err != nil {
		return nil, fmt.Errorf("mailchannels: %w", err)
	}
	return w, nil
}

func parse(data []byte, env provider.Environment) (*webhook, error) {
	var s settings
	if err := wire.DecodeSettings(data, &s); err != nil {
		return nil, err
	}
	handles := map[string]bool{}
	for _, h := range s.CustomerHandles {
		handles[h] = true
	}
	if len(handles) == 0 || handles[""] {
		return nil, errors.New("customerHandles: must hold at least one handle, and no empty one")
	}
	if s.ToleranceSeconds < 0 {
		return nil, errors.New("toleranceSeconds: must not be negative")
	}
	keys, err := newKeys(&s, env)
	if err != nil {
		return nil, err
	}
	return &webhook{
		handles: handles,
		verifier: signature.MessageVerifier{
			Key:       keys.find,
			Tolerance: time.Duration(s.ToleranceSeconds) * time.Second,
		},
	}, nil
}

// keys finds a key among the pinned ones, then at the key server.
type keys struct {
	pinned map[string]ed25519.PublicKey
	server *signature.KeyServer
}

func newKeys(s *settings, env provider.Environment) (keys, error) {
	pinned, err := pinnedKeys(s.PublicKeys)
	if err != nil {
		return keys{}, err
	}
	address := s.PublicKeyURL
	if address == "" {
		address = defaultPublicKeyURL
	}
	server, err := env.KeyServers.Get(address, env.HTTPClient)
	if err != nil {
		return keys{}, fmt.Errorf("publicKeyURL: %w", err)
	}
	return keys{pinned: pinned, server: server}, nil
}

func pinnedKeys(list []publicKey) (map[string]ed25519.PublicKey, error) {
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

func (k keys) find(ctx context.Context, id string, now time.Time) (ed25519.PublicKey, error) {
	if key, ok := k.pinned[id]; ok {
		return key, nil
	}
	return k.server.Key(ctx, id, now)
}
