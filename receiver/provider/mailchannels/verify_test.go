package mailchannels_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	simulated "github.com/mailvane/mailvane/internal/simulate/mailchannels"
	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailchannels"
	"github.com/mailvane/mailvane/receiver/signature"
)

// signedRequest returns a request that the samples' key signed under an id.
func signedRequest(t testing.TB, id string) *provider.Request {
	t.Helper()
	r := &provider.Request{Body: []byte(array(item(`"event": "open"`))), ReceivedAt: received()}
	if err := simulated.Sign([]byte(settings(pinned(t, id, testKey(0)))), privateKeyPEM(t, testKey(0)), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKeysAreFetched(t *testing.T) {
	t.Parallel()
	text := publicKeyText(t, testKey(0))
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch id := r.URL.Query().Get("id"); id {
		case "mckey":
			_, _ = fmt.Fprintf(w, `{"id": %q, "key": %q}`, id, text)
		case "broken":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(backend.Close)
	fetching := `{"customerHandles": ["abc123"], "publicKeyURL": "` + backend.URL + `"}`
	cases := map[string]struct {
		reason string
		id     string
		env    provider.Environment
		want   string
	}{
		"known":            {reason: "fetched by its id", id: "mckey", env: provider.Environment{HTTPClient: backend.Client()}, want: "<nil>"},
		"unknown":          {reason: "there is no such key", id: "forged", env: provider.Environment{HTTPClient: backend.Client()}, want: "verify: unknown_key"},
		"server broken":    {reason: "undecided: the sender shall try again", id: "broken", env: provider.Environment{HTTPClient: backend.Client()}, want: "key lookup: answered 503"},
		"nothing to fetch": {reason: "a cluster without egress knows pinned keys only", id: "mckey", want: "verify: unknown_key"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := mailchannels.Kind().New([]byte(fetching), c.env)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Verify(t.Context(), signedRequest(t, c.id))
			if got := fmt.Sprint(err); got != c.want {
				t.Errorf("%s: got %s, want %s", c.reason, got, c.want)
			}
		})
	}
}

// TestFetchedKeysOutliveAReload: the key server is down when the configuration changes.
func TestFetchedKeysOutliveAReload(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	text := publicKeyText(t, testKey(0))
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprintf(w, `{"id": "mckey", "key": %q}`, text)
	}))
	t.Cleanup(backend.Close)
	env := provider.Environment{HTTPClient: backend.Client(), Keys: &keys.Registry{}}
	for range 2 {
		w, err := mailchannels.Kind().New([]byte(`{"customerHandles": ["abc123"], "publicKeyURL": "`+backend.URL+`"}`), env)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Verify(t.Context(), signedRequest(t, "mckey")); err != nil {
			t.Fatal(err)
		}
		down.Store(true)
	}
}

func TestAnotherCustomersSignatureGetsNothingThrough(t *testing.T) {
	t.Parallel()
	w, err := mailchannels.Kind().New([]byte(strings.Replace(settings(pinned(t, "mckey", testKey(0))), "abc123", "me", 1)), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	r := signedRequest(t, "mckey")
	if _, err := w.Verify(t.Context(), r); err != nil {
		t.Fatalf("the signature is valid for whomever: %v", err)
	}
	if b := w.Decode(r); len(b.Events) != 0 || b.Refused != 1 {
		t.Errorf("got %d events, %d refused", len(b.Events), b.Refused)
	}
}

func TestSignAsksForAMatchingKey(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		settings string
		key      []byte
	}{
		"no key":           {settings: settings(pinned(t, "mckey", testKey(0)))},
		"not PKCS #8":      {settings: settings(pinned(t, "mckey", testKey(0))), key: []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")},
		"a key not pinned": {settings: settings(pinned(t, "mckey", testKey(1))), key: privateKeyPEM(t, testKey(0))},
		"nothing pinned":   {settings: settings(), key: privateKeyPEM(t, testKey(0))},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &provider.Request{Body: []byte("[]"), ReceivedAt: received()}
			if err := simulated.Sign([]byte(c.settings), c.key, r); err == nil || errors.Is(err, signature.ErrMissing) {
				t.Errorf("got %v, want an error", err)
			}
		})
	}
}
