package gmailpubsub_test

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
	"github.com/mailvane/mailvane/receiver/provider/gmailpubsub"
)

const (
	audience = "https://hooks.example.com/hooks/mail/gmail"
	pusher   = "push@project.iam.gserviceaccount.com"
	tokens   = `{"audiences": ["other", "` + audience + `"], "serviceAccounts": ["old@project.iam.gserviceaccount.com", "` + pusher + `"]}`
)

// google stands for Google: it publishes the keys of its tokens.
type google struct {
	key    *rsa.PrivateKey
	asked  atomic.Int64
	client *http.Client
}

func newGoogle(t *testing.T) *google {
	t.Helper()
	g := &google{key: newKey(t)}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.asked.Add(1)
		if r.Host != "www.googleapis.com" || r.URL.Path != "/oauth2/v3/certs" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &g.key.PublicKey, KeyID: "k1", Use: "sig", Algorithm: "RS256"}}})
	}))
	t.Cleanup(server.Close)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	g.client = &http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	return g
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (g *google) webhook(t *testing.T) provider.Webhook {
	t.Helper()
	w, err := gmailpubsub.Kind().New([]byte(tokens), provider.Environment{HTTPClient: g.client})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// bearer returns the header of a token with the claims of Google's page, some of them changed.
func bearer(t *testing.T, key any, algorithm jose.SignatureAlgorithm, id string, change map[string]any) string {
	t.Helper()
	all := map[string]any{
		"iss": "https://accounts.google.com", "aud": audience, "azp": "113774264463038321964", "sub": "113774264463038321964", "email": pusher, "email_verified": true,
		"iat": received().Unix(), "exp": received().Add(time.Hour).Unix(),
	}
	for name, value := range change {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", id).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

func request(authorization ...string) *provider.Request {
	return &provider.Request{Header: http.Header{"Authorization": authorization}, Body: []byte(wrapped(notice, "")), ReceivedAt: received()}
}

func reason(err error) provider.Reason {
	if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
		return refused.Reason
	}
	if err != nil {
		return provider.Reason(err.Error())
	}
	return ""
}

// TestTokens has tokens as Pub/Sub sends them, and those that anybody can have of Google.
func TestTokens(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	sign := func(change map[string]any) string { return bearer(t, g.key, jose.RS256, "k1", change) }
	good := sign(nil)
	parts := strings.Split(good, ".")
	cases := map[string]struct {
		authorization string
		want          provider.Reason
	}{
		"as documented":                      {good, ""},
		"the issuer without its scheme":      {sign(map[string]any{"iss": "accounts.google.com"}), ""},
		"the account that is to be replaced": {sign(map[string]any{"email": "old@project.iam.gserviceaccount.com"}), ""},
		"no token":                           {"", provider.ReasonMissing},
		"a password":                         {"Basic dTpw", provider.ReasonMissing},
		"a word":                             {"Bearer x", provider.ReasonMalformed},
		"of another service account":         {sign(map[string]any{"email": "push@other.iam.gserviceaccount.com"}), provider.ReasonSender},
		"an address that is not verified":    {sign(map[string]any{"email_verified": false}), provider.ReasonSender},
		"no word on that":                    {sign(map[string]any{"email_verified": nil}), provider.ReasonSender},
		"no address":                         {sign(map[string]any{"email": nil}), provider.ReasonSender},
		"the address as the subject":         {sign(map[string]any{"email": nil, "sub": pusher}), provider.ReasonSender},
		"for another audience":               {sign(map[string]any{"aud": "https://hooks.example.com/hooks/mail/other"}), provider.ReasonMismatch},
		"of another issuer":                  {sign(map[string]any{"iss": "https://accounts.example.com"}), provider.ReasonMismatch},
		"of a stranger's key":                {bearer(t, newKey(t), jose.RS256, "k1", nil), provider.ReasonMismatch},
		"of a key that does not exist":       {bearer(t, g.key, jose.RS256, "k2", nil), provider.ReasonUnknownKey},
		"another algorithm":                  {bearer(t, g.key, jose.RS512, "k1", nil), provider.ReasonMismatch},
		"no algorithm":                       {"Bearer eyJhbGciOiJub25lIiwia2lkIjoiazEifQ." + parts[1] + ".", provider.ReasonMalformed},
		"claims of another":                  {parts[0] + "." + strings.Split(sign(map[string]any{"sub": "1"}), ".")[1] + "." + parts[2], provider.ReasonMismatch},
		"expired":                            {sign(map[string]any{"exp": received().Add(-2 * time.Minute).Unix()}), provider.ReasonTime},
		"a clock that is behind":             {sign(map[string]any{"exp": received().Add(-30 * time.Second).Unix()}), ""},
		"without an end":                     {sign(map[string]any{"exp": nil}), provider.ReasonMalformed},
		"of tomorrow":                        {sign(map[string]any{"iat": received().Add(24 * time.Hour).Unix(), "exp": received().Add(25 * time.Hour).Unix()}), provider.ReasonTime},
	}
	w := g.webhook(t)
	if a, _ := w.(provider.Authenticator); !a.Authenticates() {
		t.Error("it asks for a token, and says that it authenticates nothing")
	}
	for name, c := range cases {
		r := request()
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		if _, err := w.Verify(t.Context(), r); reason(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := w.Verify(t.Context(), request(good, good)); reason(err) != provider.ReasonMalformed {
		t.Errorf("two tokens: %v", err)
	}
	if n := g.asked.Load(); n > 4 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

// TestTheTokenIsNotTheBodys shows how far a token protects: any body passes with it.
func TestTheTokenIsNotTheBodys(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	r := request(bearer(t, g.key, jose.RS256, "k1", nil))
	r.Body = []byte("x")
	proof, err := g.webhook(t).Verify(t.Context(), r)
	if err != nil || proof.Key != "1" || proof.Bearer != "" {
		t.Errorf("%+v, %v; want the second service account", proof, err)
	}
}

// TestKeysThatCannotBeAsked has a token that nobody can judge now: Pub/Sub is to try again.
func TestKeysThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.client.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }}
	_, err := g.webhook(t).Verify(t.Context(), request(bearer(t, g.key, jose.RS256, "k1", nil)))
	if _, refused := errors.AsType[*provider.VerifyError](err); err == nil || refused {
		t.Errorf("Verify: %v, want no decision", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		`{"audiences": ["a"]}`:                              "serviceAccounts",
		`{"audiences": ["a"], "serviceAccounts": []}`:       "serviceAccounts",
		`{"serviceAccounts": ["push@example.com"]}`:         "audiences",
		`{"serviceAccounts": ["push@example.com"], "x": 1}`: "x",
	} {
		if _, err := gmailpubsub.Kind().New([]byte(settings), provider.Environment{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a word on %s", settings, err, want)
		}
	}
}
