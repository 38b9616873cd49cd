package endpoint

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/netrange"
)

// The causes with which a further factor refuses a request; metric labels.
const (
	refusedPathToken = "path_token"
	refusedBasic     = "basic"
	refusedHeader    = "header"
	refusedAddress   = "address"
	refusedToken     = "token"
)

// Caller is what further factors look at.
type Caller struct {
	// Header holds the request's headers.
	Header http.Header
	// Address is the client's, as far as proxies may be believed; the zero Addr is in no range.
	Address netip.Addr
	// Token is the last segment of the path, where it is not part of the endpoint's path.
	Token string
	// Now is when the request arrived.
	Now time.Time
}

// basic returns user name and password (RFC 7617).
func (c *Caller) basic() (user, password string, ok bool) {
	return (&http.Request{Header: c.Header}).BasicAuth()
}

// factor is one further check; it returns "" when it passes, else the cause. An error says that it could not be decided.
type factor func(ctx context.Context, c *Caller) (cause string, err error)

// newFactors returns the factors that a sets; all must pass.
func newFactors(a config.Authentication) ([]factor, error) {
	if err := checkSecrets(a); err != nil {
		return nil, err
	}
	var out []factor
	if len(a.PathToken.Secrets) > 0 {
		tokens := newSecretSet(a.PathToken.Secrets)
		out = append(out, check(refusedPathToken, func(c *Caller) bool { return tokens.contains(c.Token) }))
	}
	if len(a.Basic.Secrets) > 0 {
		out = append(out, basicFactor(a.Basic))
	}
	if len(a.Header.Secrets) > 0 {
		values := newSecretSet(a.Header.Secrets)
		name := a.Header.Name
		out = append(out, check(refusedHeader, func(c *Caller) bool { return values.contains(c.Header.Get(name)) }))
	}
	if len(a.AllowedCIDRs) > 0 {
		prefixes, err := netrange.Parse(a.AllowedCIDRs)
		if err != nil {
			return nil, fmt.Errorf("authentication.allowedCIDRs: %w", err)
		}
		out = append(out, check(refusedAddress, func(c *Caller) bool { return netrange.Contain(prefixes, c.Address) }))
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

func check(cause string, passes func(*Caller) bool) factor {
	return func(_ context.Context, c *Caller) (string, error) {
		if passes(c) {
			return "", nil
		}
		return cause, nil
	}
}

func basicFactor(b config.Basic) factor {
	pairs := make([]string, 0, len(b.Secrets))
	for _, s := range b.Secrets {
		pairs = append(pairs, s.Username+":"+s.Password)
	}
	credentials := newSecretSet(pairs)
	return check(refusedBasic, func(c *Caller) bool {
		user, password, ok := c.basic()
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

// Undecided is the cause that is counted where nothing could be decided, and the request was accepted all the same.
const Undecided = "undecided"

// Check asks the further factors of the endpoint. It returns the cause of a refusal, "" = all pass, and an error when one could not be
// decided.
func (e *Endpoint) Check(ctx context.Context, c *Caller) (refusal string, err error) {
	for _, f := range e.factors {
		if refusal, err = f(ctx, c); err != nil || refusal != "" {
			return refusal, err
		}
	}
	return "", nil
}

// HasFactors reports whether Check asks for anything.
func (e *Endpoint) HasFactors() bool { return len(e.factors) > 0 }
