package intake

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/config"
)

// The causes with which a further factor refuses a request; metric labels.
const (
	refusedPathToken = "path_token"
	refusedBasic     = "basic"
	refusedHeader    = "header"
	refusedAddress   = "address"
)

// caller is what the factors look at.
type caller struct {
	request *http.Request
	address netip.Addr
	token   string // the last path segment, where it is not part of the endpoint's path
}

// factor is one further check; it returns "" when it passes, else the cause.
type factor func(c *caller) string

// newFactors returns the factors that a sets; all must pass.
func newFactors(a config.Authentication) ([]factor, error) {
	if err := checkSecrets(a); err != nil {
		return nil, err
	}
	var out []factor
	if len(a.PathToken.Secrets) > 0 {
		tokens := newSecretSet(a.PathToken.Secrets)
		out = append(out, check(refusedPathToken, func(c *caller) bool { return tokens.contains(c.token) }))
	}
	if len(a.Basic.Secrets) > 0 {
		out = append(out, basicFactor(a.Basic))
	}
	if len(a.Header.Secrets) > 0 {
		values := newSecretSet(a.Header.Secrets)
		name := a.Header.Name
		out = append(out, check(refusedHeader, func(c *caller) bool { return values.contains(c.request.Header.Get(name)) }))
	}
	if len(a.AllowedCIDRs) > 0 {
		prefixes, err := ParsePrefixes(a.AllowedCIDRs)
		if err != nil {
			return nil, fmt.Errorf("authentication.allowedCIDRs: %w", err)
		}
		out = append(out, check(refusedAddress, func(c *caller) bool { return containsAddress(prefixes, c.address) }))
	}
	return out, nil
}

// checkSecrets refuses a secret that everybody has: an empty one, or one of blanks, passes a request that brings none.
func checkSecrets(a config.Authentication) error {
	passwords := make([]string, 0, len(a.Basic.Secrets))
	for _, s := range a.Basic.Secrets {
		passwords = append(passwords, s.Password)
	}
	for _, f := range []struct {
		factor  string
		secrets []string
	}{{"pathToken", a.PathToken.Secrets}, {"basic", passwords}, {"header", a.Header.Secrets}} {
		if slices.ContainsFunc(f.secrets, isBlank) {
			return fmt.Errorf("authentication.%s has an empty secret; give it a random one", f.factor)
		}
	}
	if (a.Header.Name == "") != (len(a.Header.Secrets) == 0) {
		return errors.New("authentication.header has no secret, or no name; it takes both")
	}
	return nil
}

func isBlank(secret string) bool { return strings.TrimSpace(secret) == "" }

func check(cause string, passes func(*caller) bool) factor {
	return func(c *caller) string {
		if passes(c) {
			return ""
		}
		return cause
	}
}

func basicFactor(b config.Basic) factor {
	pairs := make([]string, 0, len(b.Secrets))
	for _, s := range b.Secrets {
		pairs = append(pairs, s.Username+":"+s.Password)
	}
	credentials := newSecretSet(pairs)
	return check(refusedBasic, func(c *caller) bool {
		user, password, ok := c.request.BasicAuth()
		return ok && credentials.contains(user+":"+password)
	})
}

// secretSet compares a value with several secrets in a time that depends on neither.
type secretSet [][sha256.Size]byte

func newSecretSet(secrets []string) secretSet {
	set := make(secretSet, 0, len(secrets))
	for _, s := range secrets {
		set = append(set, sha256.Sum256([]byte(s)))
	}
	return set
}

func (s secretSet) contains(value string) bool {
	sum := sha256.Sum256([]byte(value))
	found := 0
	for i := range s {
		found |= subtle.ConstantTimeCompare(s[i][:], sum[:])
	}
	return found == 1
}
