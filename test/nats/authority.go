package nats

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nkeys"
)

// Authority makes credentials that servers with its Config accept, as operators of NATS do with nsc.
type Authority struct {
	operator, account, system nkeys.KeyPair
}

// NewAuthority returns an authority with one account for everybody.
func NewAuthority() (*Authority, error) {
	a := &Authority{}
	var err error
	if a.operator, err = nkeys.CreateOperator(); err != nil {
		return nil, fmt.Errorf("make an operator: %w", err)
	}
	if a.account, err = nkeys.CreateAccount(); err != nil {
		return nil, fmt.Errorf("make an account: %w", err)
	}
	if a.system, err = nkeys.CreateAccount(); err != nil {
		return nil, fmt.Errorf("make the system account: %w", err)
	}
	return a, nil
}

// unlimited are the limits of an account that has none.
func unlimited(jetStream bool) map[string]any {
	limits := map[string]any{
		"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
	}
	if jetStream {
		for _, name := range []string{"mem_storage", "disk_storage", "streams", "consumer"} {
			limits[name] = -1
		}
	}
	return map[string]any{"limits": limits, "type": "account", "version": 2}
}

// Config is what the configuration of the servers needs.
func (a *Authority) Config() (string, error) {
	system, err := a.system.PublicKey()
	if err != nil {
		return "", err
	}
	account, err := a.account.PublicKey()
	if err != nil {
		return "", err
	}
	operator, err := sign(a.operator, a.operator, "operator", map[string]any{"type": "operator", "version": 2, "system_account": system}, time.Time{})
	if err != nil {
		return "", err
	}
	systemToken, err := sign(a.operator, a.system, "SYS", unlimited(false), time.Time{})
	if err != nil {
		return "", err
	}
	accountToken, err := sign(a.operator, a.account, "test", unlimited(true), time.Time{})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("operator: %s\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: {%s: %s, %s: %s}\n",
		operator, system, system, systemToken, account, accountToken), nil
}

// Permissions say what a user may do; empty = everything.
type Permissions struct {
	// Publish and Subscribe are subjects.
	Publish, Subscribe []string
	// Expires is when the servers end the user's connections; zero = never.
	Expires time.Time
}

// Credentials returns the contents of a credentials file for a new user.
func (a *Authority) Credentials(p Permissions) ([]byte, error) {
	user, err := nkeys.CreateUser()
	if err != nil {
		return nil, fmt.Errorf("make a user: %w", err)
	}
	allow := func(subjects []string) map[string]any {
		if len(subjects) == 0 {
			return map[string]any{}
		}
		return map[string]any{"allow": subjects}
	}
	token, err := sign(a.account, user, "receiver", map[string]any{
		"pub": allow(p.Publish), "sub": allow(p.Subscribe), "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2,
	}, p.Expires)
	if err != nil {
		return nil, err
	}
	seed, err := user.Seed()
	if err != nil {
		return nil, fmt.Errorf("make a user: %w", err)
	}
	return fmt.Appendf(nil, "-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n"+
		"-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n", token, seed), nil
}

// sign returns a token about subject, in the form that NATS gives to JSON Web Tokens.
func sign(issuer, subject nkeys.KeyPair, name string, claims map[string]any, expires time.Time) (string, error) {
	by, err := issuer.PublicKey()
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	about, err := subject.PublicKey()
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	body := map[string]any{"jti": rand.Text(), "iat": time.Now().Unix(), "iss": by, "sub": about, "name": name, "nats": claims}
	if !expires.IsZero() {
		body["exp"] = expires.Unix()
	}
	var parts []string
	for _, part := range []any{map[string]string{"typ": "JWT", "alg": "ed25519-nkey"}, body} {
		text, err := json.Marshal(part)
		if err != nil {
			return "", fmt.Errorf("sign a token: %w", err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	signature, err := issuer.Sign([]byte(strings.Join(parts, ".")))
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), "."), nil
}
