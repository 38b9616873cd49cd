package endpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
)

// TestOIDC checks tokens of an issuer that publishes its keys as OpenID providers do.
func TestOIDC(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var issuer *httptest.Server
	issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/.well-known/openid-configuration" {
			_, _ = fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, issuer.URL, issuer.URL+"/keys")
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k"}}})
	}))
	t.Cleanup(issuer.Close)
	sign := func(claims map[string]any) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.Signed(signer).Claims(map[string]any{"iss": issuer.URL, "aud": "hooks", "exp": now().Add(time.Hour).Unix()}).Claims(claims).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	c := compiler(t, lines{})
	c.Environment.HTTPClient = issuer.Client()
	set := func(subjects ...string) func(*config.Endpoint) {
		return func(e *config.Endpoint) {
			e.Authentication.OIDC = config.OIDC{Issuer: issuer.URL, Audiences: []string{"hooks"}, Subjects: subjects}
		}
	}
	table, err := c.Compile(&config.Config{Endpoints: []config.Endpoint{spec(set("pusher@example.com", "42"))}})
	if err != nil {
		t.Fatal(err)
	}
	e := only(t, table)
	for name, row := range map[string]struct{ authorization, want string }{
		"the subject":                        {"Bearer " + sign(map[string]any{"sub": "42"}), ""},
		"a verified address":                 {"Bearer " + sign(map[string]any{"sub": "1", "email": "pusher@example.com", "email_verified": true}), ""},
		"an address that nobody has checked": {"Bearer " + sign(map[string]any{"sub": "1", "email": "pusher@example.com"}), "token"},
		"another subject":                    {"Bearer " + sign(map[string]any{"sub": "43"}), "token"},
		"another audience":                   {"Bearer " + sign(map[string]any{"sub": "42", "aud": "others"}), "token"},
		"no token":                           {"", "token"},
		"basic":                              {"Basic x", "token"},
	} {
		header := http.Header{}
		if row.authorization != "" {
			header.Set("Authorization", row.authorization)
		}
		if got, err := e.Check(t.Context(), &endpoint.Caller{Header: header, Now: now()}); err != nil || got != row.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, row.want)
		}
	}
	// An issuer that cannot be reached decides nothing.
	issuer.Close()
	c = compiler(t, lines{})
	c.Environment.HTTPClient = issuer.Client()
	table, err = c.Compile(&config.Config{Endpoints: []config.Endpoint{spec(set("42"))}})
	if err != nil {
		t.Fatal(err)
	}
	caller := &endpoint.Caller{Header: http.Header{"Authorization": {"Bearer " + sign(map[string]any{"sub": "42"})}}, Now: now()}
	if refusal, err := only(t, table).Check(t.Context(), caller); err == nil {
		t.Errorf("refused with %q, want an error", refusal)
	}
}
