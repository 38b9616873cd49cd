// Package token checks JSON Web Tokens (RFC 7519) that cloud services send along as proof of who they are: Google Pub/Sub, Microsoft
// Entra, and any other OpenID provider.
package token

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/signature"
)

const (
	// leeway is how far clocks may be apart.
	leeway = time.Minute
	// maxLength bounds a token, in bytes; those of Google and Microsoft take 1 to 2 KB.
	maxLength = 16 << 10
)

// algorithms are those of public keys (RFC 7518 section 3.1, RFC 8037 section 3.1). "none" is none, and with a symmetric one whoever
// checks tokens could make them.
var algorithms = []jose.SignatureAlgorithm{ //nolint:gochecknoglobals // a table
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// Claims are what a token says, as far as it is looked at.
type Claims struct {
	jwt.Claims

	// Email and EmailVerified name the service account at Google.
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	// Tenant and Application name, in tokens of Microsoft Entra, the tenant and the application that asked for the token: azp in
	// version 2.0, appid in 1.0.
	Tenant        string `json:"tid"`
	Application   string `json:"azp"`
	ApplicationV1 string `json:"appid"`
}

// Verifier checks the tokens of one issuer. It is safe for concurrent use.
type Verifier struct {
	// Issuers are what "iss" may be; at least one.
	Issuers []string
	// Audiences are what one of "aud" must be; at least one.
	Audiences []string
	// Keys returns the key of a "kid"; see [keys.Store.Key].
	Keys func(ctx context.Context, id string, now time.Time) (jose.JSONWebKey, error)
}

// Bearer returns the token of an Authorization header (RFC 6750 section 2.1). It fails as [signature.Header] does.
func Bearer(h http.Header) (string, error) {
	value, err := signature.Header(h, "Authorization")
	if err != nil {
		return "", err
	}
	scheme, text, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", signature.ErrMissing
	}
	return strings.TrimSpace(text), nil
}

// Verify checks a token: its signature, issuer, audience and times. What else it must say is for the caller to check. It fails with an
// error of package signature when the token is not good, and with another when its key could not be looked up.
func (v *Verifier) Verify(ctx context.Context, text string, now time.Time) (Claims, error) {
	var claims Claims
	if len(text) > maxLength {
		return claims, signature.ErrMalformed
	}
	parsed, err := jwt.ParseSigned(text, algorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return claims, signature.ErrMalformed
	}
	// What claims alone refuse costs no lookup.
	if parsed.UnsafeClaimsWithoutVerification(&claims) != nil {
		return claims, signature.ErrMalformed
	}
	if err := v.check(&claims, now); err != nil {
		return Claims{}, err
	}
	key, err := v.Keys(ctx, parsed.Headers[0].KeyID, now)
	if err != nil {
		return Claims{}, err
	}
	if key.Algorithm != "" && key.Algorithm != parsed.Headers[0].Algorithm {
		return Claims{}, signature.ErrMismatch
	}
	var proven Claims
	if parsed.Claims(key.Key, &proven) != nil {
		return Claims{}, signature.ErrMismatch
	}
	return proven, nil
}

func (v *Verifier) check(claims *Claims, now time.Time) error {
	switch {
	case !slices.Contains(v.Issuers, claims.Issuer):
		return signature.ErrMismatch
	case !slices.ContainsFunc(claims.Audience, func(a string) bool { return slices.Contains(v.Audiences, a) }):
		return signature.ErrMismatch
	case claims.Expiry == nil: // a token without an end is one for ever
		return signature.ErrMalformed
	}
	err := claims.ValidateWithLeeway(jwt.Expected{Time: now}, leeway)
	if errors.Is(err, jwt.ErrExpired) || errors.Is(err, jwt.ErrNotValidYet) || errors.Is(err, jwt.ErrIssuedInTheFuture) {
		return signature.ErrTime
	}
	if err != nil {
		return signature.ErrMismatch
	}
	return nil
}

// IsSubject reports whether a token is about one of the subjects: by "sub", or by "email" where the issuer has verified that.
func (c *Claims) IsSubject(subjects []string) bool {
	return slices.Contains(subjects, c.Subject) || c.EmailVerified && slices.Contains(subjects, c.Email)
}

// Discovered returns the keys of an issuer, whose key set its configuration names (OpenID Connect Discovery 1.0 section 4). A nil
// client looks up nothing.
func Discovered(r *keys.Registry, client *http.Client, issuer string) *keys.Store[jose.JSONWebKey] {
	return keys.Shared(r, "openid "+issuer, func() *keys.Store[jose.JSONWebKey] {
		if client == nil {
			return keys.NewStore[jose.JSONWebKey](nil)
		}
		return keys.NewStore(func(ctx context.Context, id string) (jose.JSONWebKey, error) {
			set, err := discover(ctx, client, issuer)
			if err != nil {
				return jose.JSONWebKey{}, err
			}
			return keys.FromSet(ctx, client, set, id)
		})
	})
}
