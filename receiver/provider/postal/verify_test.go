package postal_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	simulated "github.com/mailvane/mailvane/internal/simulate/postal"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/postal"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

func webhook(t testing.TB, settings string, env provider.Environment) provider.Webhook {
	t.Helper()
	w, err := postal.Kind().New([]byte(settings), env)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// signed returns a request that is signed with the samples' key.
func signed(t testing.TB, body string) *provider.Request {
	t.Helper()
	r := &provider.Request{Body: []byte(body), Header: http.Header{"Content-Type": {"application/json"}}, ReceivedAt: receipt()}
	if err := simulated.Sign([]byte(pinned(t, demo(t))), snstest.DemoKey(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func reason(err error) provider.Reason {
	refused, ok := errors.AsType[*provider.VerifyError](err)
	if !ok {
		return ""
	}
	return refused.Reason
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const id, value = "X-Postal-Signature-Kid", "X-Postal-Signature-256"
	w := webhook(t, pinned(t, demo(t)), provider.Environment{})
	for name, c := range map[string]struct {
		change func(h http.Header)
		want   provider.Reason
	}{
		"as it comes":                 {func(http.Header) {}, ""},
		"SHA-1 beside it":             {func(h http.Header) { h.Set("X-Postal-Signature", "anything") }, ""},
		"SHA-1 alone, as of Postal 2": {func(h http.Header) { h.Set("X-Postal-Signature", h.Get(value)); h.Del(value) }, provider.ReasonMissing},
		"no id":                       {func(h http.Header) { h.Del(id) }, provider.ReasonMissing},
		"another id":                  {func(h http.Header) { h.Set(id, "other") }, provider.ReasonUnknownKey},
		"an id without an end":        {func(h http.Header) { h.Set(id, strings.Repeat("a", 1000)) }, provider.ReasonMalformed},
		"no base64":                   {func(h http.Header) { h.Set(value, "!") }, provider.ReasonMalformed},
		"base64 of another alphabet":  {func(h http.Header) { h.Set(value, "-_-_") }, provider.ReasonMalformed},
		"a signature that is short":   {func(h http.Header) { h.Set(value, "AAAA") }, provider.ReasonMismatch},
		"one of many kilobytes":       {func(h http.Header) { h.Set(value, strings.Repeat("A", 4000)) }, provider.ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := signed(t, `{}`)
			c.change(r.Header)
			if _, err := w.Verify(t.Context(), r); reason(err) != c.want || (err != nil) != (c.want != "") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestKeySet has keys that are fetched: once, by the id that a request names, and never for one that cannot be right.
func TestKeySet(t *testing.T) {
	t.Parallel()
	key := snstest.NewKey(t, snstest.Named("postal"), nil)
	var asked, status atomic.Int32
	status.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(int(status.Load()))
		modulus := base64.RawURLEncoding.EncodeToString(key.Private.N.Bytes())
		fmt.Fprintf(w, `{"keys": [{"kty": "oct", "k": "AAAA", "kid": "secret"}, {"kty": "OKP", "crv": "Ed25519", "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg", "kid": "short"},
			{"kty": "RSA", "n": %q, "e": "AQAB", "kid": "new", "use": "sig", "alg": "RS256"}]}`, modulus)
	}))
	t.Cleanup(server.Close)
	settings := `{"jwksURL": "` + server.URL + `"}`
	request := func(id string) *provider.Request {
		r := &provider.Request{Body: []byte(`{}`), ReceivedAt: receipt()}
		if err := simulated.Sign([]byte(pinned(t, pin{id, spki(t, &key.Private.PublicKey)})), key.PEM, r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	w := webhook(t, settings, provider.Environment{HTTPClient: server.Client()})
	for range 2 {
		if proof, err := w.Verify(t.Context(), request("new")); err != nil || proof.Key != "new" {
			t.Fatalf("a key of the set: %+v, %v", proof, err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("a key was asked for %d times", asked.Load())
	}
	broken := request("never")
	broken.Header.Set("X-Postal-Signature-256", "!")
	if _, err := w.Verify(t.Context(), broken); reason(err) != provider.ReasonMalformed || asked.Load() != 1 {
		t.Errorf("a signature that is none: %v, after %d requests for keys", err, asked.Load())
	}
	for _, id := range []string{"unknown", "unknown", "short", "secret"} {
		if _, err := w.Verify(t.Context(), request(id)); reason(err) != provider.ReasonUnknownKey {
			t.Errorf("the key %s: %v", id, err)
		}
	}
	if asked.Load() != 4 {
		t.Errorf("three unknown keys were asked for %d times", asked.Load()-1)
	}
	status.Store(http.StatusServiceUnavailable)
	if _, err := webhook(t, settings, provider.Environment{HTTPClient: server.Client()}).Verify(t.Context(), request("new")); err == nil || reason(err) != "" {
		t.Errorf("while nobody answers: %v, which is no refusal", err)
	}
	if _, err := webhook(t, settings, provider.Environment{}).Verify(t.Context(), request("new")); reason(err) != provider.ReasonUnknownKey {
		t.Errorf("where nothing can be fetched: %v", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	key := demo(t)
	edKey := "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
	for name, c := range map[string]struct{ settings, want string }{
		"a key":                {pinned(t, key), ""},
		"a key set":            {`{"jwksURL": "https://postal.example.com/.well-known/jwks.json"}`, ""},
		"a key in PEM":         {pinned(t, pin{"a", "-----BEGIN PUBLIC KEY-----\n" + key.Key + "\n-----END PUBLIC KEY-----\n"}), ""},
		"neither":              {`{}`, "publicKeys or jwksURL must be set"},
		"a key of another way": {pinned(t, pin{"a", edKey}), "publicKeys[0].key: must be an RSA key"},
		"no key":               {pinned(t, key, pin{"a", "AAAA"}), "publicKeys[1].key: must be a public key in base64 or PEM"},
		"no id":                {pinned(t, pin{"", key.Key}), "publicKeys[0].id: must be unique and not empty"},
		"one id twice":         {pinned(t, key, key), "publicKeys[1].id: must be unique and not empty"},
		"a path":               {`{"jwksURL": "/jwks.json"}`, "jwksURL: must be an absolute http or https URL without credentials"},
		"a password":           {`{"jwksURL": "https://a:b@postal.example.com/"}`, "jwksURL: must be an absolute http or https URL without credentials"},
	} {
		_, err := postal.Kind().New([]byte(c.settings), provider.Environment{})
		if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && got != "postal: "+c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestVector verifies a request that another implementation signed, with the key pinned and fetched.
func TestVector(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "vectors/postal/*.body.json") {
		r := &provider.Request{Body: []byte(read(t, path)), Header: http.Header{}, ReceivedAt: receipt()}
		for line := range strings.Lines(read(t, strings.TrimSuffix(path, ".body.json")+".headers.txt")) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			r.Header.Set(name, value)
		}
		folder := filepath.Dir(path)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, filepath.Join(folder, "jwks.json")) }))
		t.Cleanup(server.Close)
		key := pin{r.Header.Get("X-Postal-Signature-KID"), read(t, filepath.Join(folder, "public-key.spki.b64"))}
		fetched := webhook(t, `{"jwksURL": "`+server.URL+`"}`, provider.Environment{HTTPClient: server.Client()})
		w := webhook(t, pinned(t, key), provider.Environment{})
		for _, w := range []provider.Webhook{w, fetched} {
			if proof, err := w.Verify(t.Context(), r); err != nil || proof.Key != key.ID {
				t.Errorf("%s: %+v, %v", path, proof, err)
			}
		}
		if b := w.Decode(r); len(b.Events) != 1 || b.Events[0].Type != event.Delivered {
			t.Errorf("%s: %+v", path, b)
		}
		for i := range r.Body {
			r.Body[i] ^= 1
			if _, err := w.Verify(t.Context(), r); err == nil {
				t.Errorf("%s: with another byte %d it passes", path, i)
			}
			r.Body[i] ^= 1
		}
	}
}

// read returns a file without a line break at its end.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(text), "\r\n")
}
