package endpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/signature"
	"github.com/mailvane/mailvane/receiver/token"
)

// factors returns the further factors of an endpoint; all must pass. The one that may have to look up keys is the last.
func (c *Compiler) factors(spec *config.Endpoint) ([]factor, error) {
	factors, err := newFactors(spec.Authentication)
	if err != nil || spec.Authentication.OIDC.Issuer == "" {
		return factors, err
	}
	env := c.environment(factors, spec.Verification == config.Shadow)
	f, err := oidcFactor(spec.Authentication.OIDC, func(issuer string) keyStore { return token.Discovered(env.Keys, env.HTTPClient, issuer) })
	if err != nil {
		return nil, fmt.Errorf("authentication.oidc: %w", err)
	}
	return append(factors, f), nil
}

func oidcFactor(o config.OIDC, find func(issuer string) keyStore) (factor, error) {
	if err := keys.CheckURL(o.Issuer); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if len(o.Audiences) == 0 {
		return nil, errors.New("audiences: at least one is needed: the issuer also makes tokens for others")
	}
	v := token.Verifier{Issuers: []string{o.Issuer}, Audiences: o.Audiences, Keys: find(o.Issuer).Key}
	return func(ctx context.Context, c *Caller) (string, error) {
		text, err := token.Bearer(c.Header)
		if err != nil {
			return refusedToken, nil //nolint:nilerr // it decides
		}
		claims, err := v.Verify(ctx, text, c.Now)
		if err != nil && !signature.Refused(err) {
			return "", err
		}
		if err == nil && (len(o.Subjects) == 0 || claims.IsSubject(o.Subjects)) {
			return "", nil
		}
		return refusedToken, nil
	}, nil
}

// keyStore finds public keys.
type keyStore interface {
	// Key returns the key of an id; see [keys.Store.Key].
	Key(ctx context.Context, id string, now time.Time) (jose.JSONWebKey, error)
}
