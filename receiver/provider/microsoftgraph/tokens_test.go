package microsoftgraph_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/microsoftgraph"
)

const graph = "0bf30f3b-4a52-48df-9a82-234910c4a086"

// entra stands for Microsoft Entra ID, which publishes the key that signs tokens.
func entra(t *testing.T, key *rsa.PrivateKey) *http.Client {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "login.microsoftonline.com" || r.URL.Path != "/common/discovery/v2.0/keys" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k1", Use: "sig"}}})
	}))
	t.Cleanup(server.Close)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

// signed returns a token with some claims changed.
func signed(t *testing.T, key any, algorithm jose.SignatureAlgorithm, change map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0", "aud": "app-1", "tid": tenant, "azp": graph,
		"iat": received().Unix(), "nbf": received().Unix(), "exp": received().Add(time.Hour).Unix(),
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestTokens: a notification with a message needs a good token of its tenant, whoever else's are beside it.
func TestTokens(t *testing.T) {
	t.Parallel()
	key, keyed := newKey(t)
	stranger, _ := newKey(t)
	good := signed(t, key, jose.RS256, nil)
	sign := func(change map[string]any) string { return signed(t, key, jose.RS256, change) }
	message := item("created", rich(t, key, `{"subject": "a"}`))
	foreign := strings.Replace(strings.Replace(message, tenant, otherTenant, 1), state, "x", 1)
	for name, c := range map[string]struct {
		items  string
		tokens []string
		want   provider.Reason
	}{
		"version 2.0":                   {message, []string{good}, ""},
		"version 1.0":                   {message, []string{sign(map[string]any{"iss": "https://sts.windows.net/" + tenant + "/", "azp": nil, "appid": graph})}, ""},
		"in capitals":                   {strings.Replace(message, tenant, strings.ToUpper(tenant), 1), []string{good}, ""},
		"a stranger's before it":        {message, []string{sign(map[string]any{"tid": otherTenant, "aud": "app-2"}), "hello", good}, ""},
		"a stranger's notification":     {message + ", " + foreign, []string{good}, ""},
		"none":                          {message, nil, provider.ReasonMissing},
		"without a message, none":       {item("created", ""), nil, ""},
		"null for the message, none":    {item("created", `, "encryptedContent": null`), nil, ""},
		"a word":                        {message, []string{"hello"}, provider.ReasonMalformed},
		"another tenant's":              {message, []string{sign(map[string]any{"tid": otherTenant})}, provider.ReasonSender},
		"another tenant's issuer":       {message, []string{sign(map[string]any{"iss": "https://login.microsoftonline.com/" + otherTenant + "/v2.0"})}, provider.ReasonMismatch},
		"for another application":       {message, []string{sign(map[string]any{"aud": "app-2"})}, provider.ReasonMismatch},
		"asked for by another":          {message, []string{sign(map[string]any{"azp": "app-1"})}, provider.ReasonSender},
		"asked for by another, and old": {message, []string{sign(map[string]any{"azp": "app-1", "appid": graph})}, provider.ReasonSender},
		"expired":                       {message, []string{sign(map[string]any{"exp": received().Add(-time.Hour).Unix()})}, provider.ReasonTime},
		"another's key":                 {message, []string{signed(t, stranger, jose.RS256, nil)}, provider.ReasonMismatch},
		"a shared key":                  {message, []string{signed(t, []byte(strings.Repeat("k", 32)), jose.HS256, nil)}, provider.ReasonMalformed},
		"behind too many":               {message, append(strings.Split(strings.Repeat("a ", 64), " "), good), provider.ReasonMalformed},
	} {
		settings := strings.Replace(keyed, "{", `{"tenantIDs": ["`+tenant+`"], "tokens": {"audiences": ["app-1"]}, `, 1)
		w, err := microsoftgraph.Kind().New([]byte(settings), provider.Environment{HTTPClient: entra(t, key)})
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := json.Marshal(c.tokens)
		if err != nil {
			t.Fatal(err)
		}
		r := &provider.Request{Body: []byte(`{"validationTokens": ` + string(tokens) + `, "value": [` + c.items + `]}`), ReceivedAt: received()}
		_, err = w.Verify(t.Context(), r)
		if got := reason(t, err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestKeysThatCannotBeAsked has a token that nobody can judge now: Graph is to try again.
func TestKeysThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }}}
	settings := strings.Replace(plain, "{", `{"tenantIDs": ["`+tenant+`"], "tokens": {"audiences": ["app-1"]}, `, 1)
	w, err := microsoftgraph.Kind().New([]byte(settings), provider.Environment{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"validationTokens": ["` + signed(t, key, jose.RS256, nil) + `", "hello"], "value": [` + item("created", rich(t, key, `{}`)) + `]}`
	_, err = w.Verify(t.Context(), &provider.Request{Body: []byte(body), ReceivedAt: received()})
	if _, refused := errors.AsType[*provider.VerifyError](err); err == nil || refused {
		t.Errorf("Verify: %v, want no decision", err)
	}
}
