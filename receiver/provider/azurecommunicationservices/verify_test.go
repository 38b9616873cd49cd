package azurecommunicationservices_test

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
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/azurecommunicationservices"
)

const (
	tenant      = "11111111-1111-1111-1111-111111111111"
	otherTenant = "22222222-2222-2222-2222-222222222222"
	eventGrid   = "4962773b-9cdb-44cf-a8bf-237846a00ab7"
	entra       = `{"entra": {"tenantID": "` + tenant + `", "audiences": ["api://mailvane"]}}`
)

// microsoft stands for Entra ID: it publishes the keys of one tenant.
type microsoft struct {
	key    *rsa.PrivateKey
	asked  atomic.Int64
	client *http.Client
}

func newMicrosoft(t *testing.T) *microsoft {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	m := &microsoft{key: key}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.asked.Add(1)
		if r.Host != "login.microsoftonline.com" || r.URL.Path != "/"+tenant+"/discovery/v2.0/keys" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k1", Use: "sig"}}})
	}))
	t.Cleanup(server.Close)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	m.client = &http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	return m
}

// claims are those of a token of Event Grid.
func claims(change map[string]any) map[string]any {
	all := map[string]any{
		"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0", "aud": "api://mailvane", "tid": tenant, "azp": eventGrid,
		"iat": received().Unix(), "nbf": received().Unix(), "exp": received().Add(time.Hour).Unix(),
	}
	for name, value := range change {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

func (m *microsoft) token(t *testing.T, key any, algorithm jose.SignatureAlgorithm, id string, of map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", id).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(of).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestTokens has tokens as Event Grid sends them, and those of others. A request that is to validate a subscription needs one as well.
func TestTokens(t *testing.T) {
	t.Parallel()
	m := newMicrosoft(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(change map[string]any) string {
		return "Bearer " + m.token(t, m.key, jose.RS256, "k1", claims(change))
	}
	good := sign(nil)
	parts := strings.Split(good, ".")
	none := "Bearer eyJhbGciOiJub25lIiwia2lkIjoiazEifQ." + parts[1] + "."
	cases := map[string]struct {
		authorization string
		want          provider.Reason
	}{
		"version 2.0":                 {good, ""},
		"version 1.0":                 {sign(map[string]any{"iss": "https://sts.windows.net/" + tenant + "/", "azp": nil, "appid": eventGrid}), ""},
		"the word in another case":    {strings.Replace(good, "Bearer", "bearer", 1), ""},
		"no token":                    {"", provider.ReasonMissing},
		"basic in its place":          {"Basic dTpw", provider.ReasonMissing},
		"a word":                      {"Bearer hello", provider.ReasonMalformed},
		"no algorithm":                {none, provider.ReasonMalformed},
		"a symmetric algorithm":       {"Bearer " + m.token(t, []byte(strings.Repeat("k", 32)), jose.HS256, "k1", claims(nil)), provider.ReasonMalformed},
		"a stranger's key":            {"Bearer " + m.token(t, stranger, jose.RS256, "k1", claims(nil)), provider.ReasonMismatch},
		"a key that nobody publishes": {"Bearer " + m.token(t, stranger, jose.RS256, "k2", claims(nil)), provider.ReasonUnknownKey},
		"another's claims":            {parts[0] + "." + strings.Split(sign(map[string]any{"sub": "x"}), ".")[1] + "." + parts[2], provider.ReasonMismatch},
		"another tenant's issuer":     {sign(map[string]any{"iss": "https://login.microsoftonline.com/" + otherTenant + "/v2.0"}), provider.ReasonMismatch},
		"another tenant":              {sign(map[string]any{"tid": otherTenant}), provider.ReasonSender},
		"no tenant":                   {sign(map[string]any{"tid": nil}), provider.ReasonSender},
		"another audience":            {sign(map[string]any{"aud": "api://other"}), provider.ReasonMismatch},
		"another application":         {sign(map[string]any{"azp": otherTenant}), provider.ReasonSender},
		"another, and the old name":   {sign(map[string]any{"azp": otherTenant, "appid": eventGrid}), provider.ReasonSender},
		"no application":              {sign(map[string]any{"azp": nil}), provider.ReasonSender},
		"expired":                     {sign(map[string]any{"exp": received().Add(-2 * time.Minute).Unix()}), provider.ReasonTime},
		"without an end":              {sign(map[string]any{"exp": nil}), provider.ReasonMalformed},
		"not yet":                     {sign(map[string]any{"nbf": received().Add(2 * time.Minute).Unix()}), provider.ReasonTime},
	}
	w, err := azurecommunicationservices.Kind().New([]byte(entra), provider.Environment{HTTPClient: m.client})
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := w.(provider.Authenticator); !a.Authenticates() {
		t.Error("it asks for a token, and says that it authenticates nothing")
	}
	for name, c := range cases {
		r := &provider.Request{Header: http.Header{}, Body: []byte(validation), ReceivedAt: received()}
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		if got := reason(w.Verify(t.Context(), r)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if n := m.asked.Load(); n > 4 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

func reason(_ provider.Proof, err error) provider.Reason {
	if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
		return refused.Reason
	}
	if err != nil {
		return provider.Reason(err.Error())
	}
	return ""
}

// TestKeysThatCannotBeAsked has a token that nobody can judge now: Event Grid is to try again.
func TestKeysThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	m := newMicrosoft(t)
	m.client.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }}
	w, err := azurecommunicationservices.Kind().New([]byte(entra), provider.Environment{HTTPClient: m.client})
	if err != nil {
		t.Fatal(err)
	}
	r := &provider.Request{Header: http.Header{"Authorization": {"Bearer " + m.token(t, m.key, jose.RS256, "k1", claims(nil))}}, ReceivedAt: received()}
	_, err = w.Verify(t.Context(), r)
	if _, refused := errors.AsType[*provider.VerifyError](err); err == nil || refused {
		t.Errorf("Verify: %v, want no decision", err)
	}
}

func TestSubscriptionNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings string
		names    []string
		want     provider.Reason
	}{
		"listed":          {`{"subscriptionNames": ["a", "mailvane"]}`, []string{"mailvane"}, ""},
		"in capitals":     {`{"subscriptionNames": ["mailvane"]}`, []string{"MAILVANE"}, ""},
		"not listed":      {`{"subscriptionNames": ["mailvane"]}`, []string{"other"}, provider.ReasonSender},
		"no name":         {`{"subscriptionNames": ["mailvane"]}`, nil, provider.ReasonSender},
		"two names":       {`{"subscriptionNames": ["mailvane"]}`, []string{"mailvane", "other"}, provider.ReasonSender},
		"any":             {`{}`, []string{"other"}, ""},
		"without a token": {strings.Replace(entra, "{", `{"subscriptionNames": ["mailvane"], `, 1), []string{"mailvane"}, provider.ReasonMissing},
	} {
		r := &provider.Request{Header: http.Header{"Aeg-Subscription-Name": c.names}, Body: []byte(validation), ReceivedAt: received()}
		if got := reason(webhook(t, c.settings).Verify(t.Context(), r)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for what, settings := range map[string]string{
		"no tenant": `{"entra": {"audiences": ["a"]}}`, "a tenant's name": `{"entra": {"tenantID": "example.com", "audiences": ["a"]}}`,
		"a path in the tenant": `{"entra": {"tenantID": "` + tenant + `/../x", "audiences": ["a"]}}`, "no audience": `{"entra": {"tenantID": "` + tenant + `"}}`,
	} {
		if _, err := azurecommunicationservices.Kind().New([]byte(settings), provider.Environment{}); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}
