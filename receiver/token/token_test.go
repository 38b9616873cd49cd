package token_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mailvane/mailvane/receiver/signature"
	"github.com/mailvane/mailvane/receiver/token"
)

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// issuer makes tokens and publishes its keys.
type issuer struct {
	*httptest.Server

	key   *ecdsa.PrivateKey
	asked atomic.Int64
	// claimed is the issuer that its configuration names; "" = the true one.
	claimed string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/tenant/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		_, _ = fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, i.claimed+i.URL+"/tenant", i.URL+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k1", Algorithm: "ES256", Use: "sig"}}}
		if err := json.NewEncoder(w).Encode(set); err != nil {
			t.Error(err)
		}
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) name() string { return i.URL + "/tenant" }

// sign returns a token with claims, signed with a key of the issuer's or another.
func (i *issuer) sign(t *testing.T, key any, algorithm jose.SignatureAlgorithm, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (i *issuer) claims(change func(map[string]any)) map[string]any {
	c := map[string]any{
		"iss": i.name(), "aud": "https://hooks.example.com", "sub": "1234", "email": "pusher@example.com", "email_verified": true,
		"iat": now().Unix(), "exp": now().Add(time.Hour).Unix(),
	}
	if change != nil {
		change(c)
	}
	return c
}

func (i *issuer) verifier() *token.Verifier {
	return &token.Verifier{Issuers: []string{i.name()}, Audiences: []string{"https://other.example.com", "https://hooks.example.com"}, Keys: token.Discovered(nil, i.Client(), i.name()).Key}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := i.sign(t, i.key, jose.ES256, i.claims(nil))
	parts := strings.Split(good, ".")
	public, err := json.Marshal(jose.JSONWebKey{Key: &i.key.PublicKey, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(map[string]any)) string { return i.sign(t, i.key, jose.ES256, i.claims(change)) }
	unsigned := func(header string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + parts[1] + "."
	}
	cases := map[string]struct {
		text string
		want error
	}{
		"good":                       {good, nil},
		"several audiences":          {with(func(c map[string]any) { c["aud"] = []string{"x", "https://hooks.example.com"} }), nil},
		"just expired":               {with(func(c map[string]any) { c["exp"] = now().Add(-30 * time.Second).Unix() }), nil},
		"alg none":                   {unsigned(`{"alg":"none","kid":"k1"}`), signature.ErrMalformed},
		"alg in another case":        {unsigned(`{"alg":"NoNe","kid":"k1"}`), signature.ErrMalformed},
		"the public key as a secret": {i.sign(t, public, jose.HS256, i.claims(nil)), signature.ErrMalformed},
		"another key of that id":     {i.sign(t, other, jose.ES256, i.claims(nil)), signature.ErrMismatch},
		"other claims":               {parts[0] + "." + strings.Split(with(func(c map[string]any) { c["sub"] = "5" }), ".")[1] + "." + parts[2], signature.ErrMismatch},
		"another issuer":             {with(func(c map[string]any) { c["iss"] = i.URL + "/other" }), signature.ErrMismatch},
		"another audience":           {with(func(c map[string]any) { c["aud"] = "https://hooks.example.com/" }), signature.ErrMismatch},
		"no audience":                {with(func(c map[string]any) { delete(c, "aud") }), signature.ErrMismatch},
		"expired":                    {with(func(c map[string]any) { c["exp"] = now().Add(-2 * time.Minute).Unix() }), signature.ErrTime},
		"not valid yet":              {with(func(c map[string]any) { c["nbf"] = now().Add(2 * time.Minute).Unix() }), signature.ErrTime},
		"without an end":             {with(func(c map[string]any) { delete(c, "exp") }), signature.ErrMalformed},
		"encrypted":                  {good + ".x.y", signature.ErrMalformed},
		"empty":                      {"", signature.ErrMalformed},
		"endless":                    {good + strings.Repeat("A", 1<<20), signature.ErrMalformed},
	}
	v := i.verifier()
	for name, c := range cases {
		claims, err := v.Verify(t.Context(), c.text, now())
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil && claims.Subject != "" {
			t.Errorf("%s: a refused token tells %q", name, claims.Subject)
		}
	}
	if n := i.asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times for one key", n)
	}
}

// TestAStrangersTokenAsksNobody checks that a token which its own claims refuse costs no lookup.
func TestAStrangersTokenAsksNobody(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := i.verifier()
	for _, change := range []func(map[string]any){
		func(c map[string]any) { c["iss"] = "https://evil.example.com" },
		func(c map[string]any) { c["aud"] = "x" },
		func(c map[string]any) { c["exp"] = 1 },
	} {
		if _, err := v.Verify(t.Context(), i.sign(t, i.key, jose.ES256, i.claims(change)), now()); err == nil {
			t.Error("it passes")
		}
	}
	if n := i.asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

func TestDiscoveryOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.claimed = "x"
	if _, err := i.verifier().Verify(t.Context(), i.sign(t, i.key, jose.ES256, i.claims(nil)), now()); err == nil || signature.Refused(err) {
		t.Errorf("got %v, want a failure that is no refusal", err)
	}
	down := &token.Verifier{Issuers: []string{i.name()}, Audiences: []string{"https://hooks.example.com"}, Keys: func(context.Context, string, time.Time) (jose.JSONWebKey, error) {
		return jose.JSONWebKey{}, errors.New("no route to host")
	}}
	if _, err := down.Verify(t.Context(), i.sign(t, i.key, jose.ES256, i.claims(nil)), now()); err == nil || signature.Refused(err) {
		t.Errorf("got %v, want a failure that is no refusal", err)
	}
}

func TestIsSubject(t *testing.T) {
	t.Parallel()
	c := token.Claims{Email: "pusher@example.com"}
	c.Subject = "1234"
	if !c.IsSubject([]string{"1234"}) || c.IsSubject([]string{"pusher@example.com"}) || c.IsSubject(nil) {
		t.Error("an address that is not verified counts, or the subject does not")
	}
	c.EmailVerified = true
	if !c.IsSubject([]string{"pusher@example.com"}) {
		t.Error("a verified address does not count")
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"Bearer x": "x", "bearer  x": "x", "Basic x": "", "": "", "x": ""} {
		got, err := token.Bearer(http.Header{"Authorization": {value}})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", value, got, err)
		}
	}
	if _, err := token.Bearer(http.Header{"Authorization": {"Bearer x", "Bearer y"}}); !errors.Is(err, signature.ErrMalformed) {
		t.Errorf("two headers: %v", err)
	}
}
