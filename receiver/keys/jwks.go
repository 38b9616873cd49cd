package keys

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/go-jose/go-jose/v4"

	"github.com/mailvane/mailvane/receiver/signature"
)

// Set returns a store of the public keys of a JSON Web Key Set (RFC 7517 section 5) at a URL, by their "kid". A nil client fetches
// nothing.
func Set(r *Registry, client *http.Client, address string) *Store[jose.JSONWebKey] {
	return Shared(r, "jwks "+address, func() *Store[jose.JSONWebKey] {
		if client == nil {
			return NewStore[jose.JSONWebKey](nil)
		}
		return NewStore(func(ctx context.Context, id string) (jose.JSONWebKey, error) {
			return FromSet(ctx, client, address, id)
		})
	})
}

// FromSet fetches a key set and returns the key of an id; see [Fetch]. That the set is missing says nothing of the key: it may be a
// mistake that is mended soon.
func FromSet(ctx context.Context, client *http.Client, address, id string) (jose.JSONWebKey, error) {
	data, err := Get(ctx, client, address)
	if errors.Is(err, signature.ErrUnknownKey) {
		return jose.JSONWebKey{}, errors.New("key set: it does not exist")
	}
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	return find(data, id)
}

// find returns the one public key of a set that has an id. A set may hold keys that we do not know; they are passed over
// (RFC 7517 section 5).
func find(set []byte, id string) (jose.JSONWebKey, error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(set, &document) != nil || document.Keys == nil {
		return jose.JSONWebKey{}, errors.New("key set: the answer is no JSON Web Key Set")
	}
	for _, raw := range document.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) == nil && key.KeyID == id && key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig") {
			return key, nil
		}
	}
	return jose.JSONWebKey{}, signature.ErrUnknownKey
}
