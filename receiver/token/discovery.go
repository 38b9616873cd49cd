package token

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/signature"
)

// discover returns the URL of the key set of an issuer.
func discover(ctx context.Context, client *http.Client, issuer string) (string, error) {
	data, err := keys.Get(ctx, client, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration")
	if errors.Is(err, signature.ErrUnknownKey) {
		return "", errors.New("the issuer has no OpenID configuration")
	}
	if err != nil {
		return "", err
	}
	var document struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if json.Unmarshal(data, &document) != nil {
		return "", errors.New("the issuer's OpenID configuration is no JSON")
	}
	if document.Issuer != issuer { // section 4.3: it MUST be the same
		return "", errors.New("the OpenID configuration is that of another issuer")
	}
	if keys.CheckURL(document.Keys) != nil {
		return "", errors.New("the issuer's OpenID configuration names no key set")
	}
	return document.Keys, nil
}
