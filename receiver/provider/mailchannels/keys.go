package mailchannels

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailchannels/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// publicKeys finds a key among the pinned ones, then at the key server.
type publicKeys struct {
	pinned map[string]ed25519.PublicKey
	server *keys.Store[ed25519.PublicKey]
}

func newKeys(s *settings.Parsed, env provider.Environment) publicKeys {
	server := keys.Shared(env.Keys, "mailchannels "+s.PublicKeyURL, func() *keys.Store[ed25519.PublicKey] {
		if env.HTTPClient == nil {
			return keys.NewStore[ed25519.PublicKey](nil)
		}
		return keys.NewStore(func(ctx context.Context, id string) (ed25519.PublicKey, error) {
			return fetchKey(ctx, env.HTTPClient, s.PublicKeyURL, id)
		})
	})
	return publicKeys{pinned: s.Pinned, server: server}
}

func (k publicKeys) find(ctx context.Context, id string, now time.Time) (ed25519.PublicKey, error) {
	if key, ok := k.pinned[id]; ok {
		return key, nil
	}
	return k.server.Key(ctx, id, now)
}

// fetchKey asks the key server with GET <url>?id=<id>, which answers {"id": ..., "key": ...}, or 404
// (OpenAPI: GET /webhook/public-key).
func fetchKey(ctx context.Context, client *http.Client, address, id string) (ed25519.PublicKey, error) {
	target, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("key server: the URL is malformed")
	}
	query := target.Query()
	query.Set("id", id)
	target.RawQuery = query.Encode()
	data, err := keys.Get(ctx, client, target.String())
	if err != nil {
		return nil, err
	}
	return readKey(data, id)
}

func readKey(data []byte, id string) (ed25519.PublicKey, error) {
	var answer struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
	if json.Unmarshal(data, &answer) != nil {
		return nil, errors.New("key server: the answer is not the expected JSON")
	}
	if answer.ID != "" && answer.ID != id {
		return nil, errors.New("key server: answered with another key")
	}
	key, err := signature.ParsePublicKey(answer.Key)
	if err != nil {
		return nil, fmt.Errorf("key server: %w", err)
	}
	return key, nil
}
