package signature_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/signature"
)

func spki(t testing.TB, first byte) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public(key(first)))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestParsePublicKey(t *testing.T) {
	t.Parallel()
	der := spki(t, 0)
	cases := map[string]struct {
		reason string
		text   string
		ok     bool
	}{
		"SPKI":          {reason: "what the key server answers", text: base64.StdEncoding.EncodeToString(der), ok: true},
		"the published": {reason: "a fixed value", text: "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", ok: true},
		"PEM":           {reason: "what people paste", text: "\n" + string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), ok: true},
		"raw":           {reason: "32 bytes", text: base64.StdEncoding.EncodeToString(public(key(0))), ok: true},
		"empty":         {reason: "no key"},
		"not base64":    {reason: "garbage", text: "secret-ish text"},
		"too short":     {reason: "no key", text: "AAAA"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := signature.ParsePublicKey(c.text)
			if c.ok != (err == nil) || (c.ok && !got.Equal(public(key(0)))) {
				t.Errorf("%s: got %x, %v", c.reason, got, err)
			}
			if err != nil && c.text != "" && strings.Contains(err.Error(), c.text) {
				t.Errorf("the error repeats the text: %v", err)
			}
		})
	}
}

// keyServer counts what it is asked; answer is called for each lookup.
func keyServer(t *testing.T, answer http.HandlerFunc) (server *signature.KeyServer, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(backend.Close)
	server, err := signature.NewKeyServer(backend.URL+"/keys?v=1", backend.Client())
	if err != nil {
		t.Fatal(err)
	}
	return server, asked
}

func answerKey(t *testing.T) http.HandlerFunc {
	t.Helper()
	text := base64.StdEncoding.EncodeToString(spki(t, 0))
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("v") != "1" {
			http.Error(w, "the query of the URL is lost", http.StatusInternalServerError)
			return
		}
		id := r.URL.Query().Get("id")
		if id != "good" {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, `{"id": %q, "key": %q}`, id, text)
	}
}

func TestKeyServerRemembers(t *testing.T) {
	t.Parallel()
	server, asked := keyServer(t, answerKey(t))
	now := time.Unix(created, 0)
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			got, err := server.Key(t.Context(), "good", now)
			if err != nil || !got.Equal(public(key(0))) {
				t.Errorf("got %x, %v", got, err)
			}
		})
	}
	wait.Wait()
	if n := asked.Load(); n > 2 {
		t.Errorf("asked %d times for one key", n)
	}
	before := asked.Load()
	if _, err := server.Key(t.Context(), "good", now.Add(23*time.Hour)); err != nil || asked.Load() != before {
		t.Errorf("a fresh key was asked for again: %v", err)
	}
	if _, err := server.Key(t.Context(), "good", now.Add(25*time.Hour)); err != nil || asked.Load() != before+1 {
		t.Errorf("an old key was not asked for again: %v", err)
	}
}

func TestKeyServerUnknown(t *testing.T) {
	t.Parallel()
	server, asked := keyServer(t, answerKey(t))
	now := time.Unix(created, 0)
	for range 3 {
		if _, err := server.Key(t.Context(), "nobody", now); !errors.Is(err, signature.ErrUnknownKey) {
			t.Fatalf("got %v, want ErrUnknownKey", err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times for an unknown key, want once", asked.Load())
	}
	if _, err := server.Key(t.Context(), "nobody", now.Add(6*time.Minute)); !errors.Is(err, signature.ErrUnknownKey) || asked.Load() != 2 {
		t.Errorf("an unknown key must be asked for again after a while: %v, asked %d times", err, asked.Load())
	}
}

func TestKeyServerIsNoAmplifier(t *testing.T) {
	t.Parallel()
	server, asked := keyServer(t, answerKey(t))
	now := time.Unix(created, 0)
	limited := 0
	for i := range 1000 {
		_, err := server.Key(t.Context(), fmt.Sprintf("forged-%d", i), now)
		if err == nil {
			t.Fatal("a forged id has a key")
		}
		if !errors.Is(err, signature.ErrUnknownKey) {
			limited++
		}
	}
	if asked.Load() > 6 || limited < 990 {
		t.Errorf("1000 forged ids made %d lookups, %d were limited", asked.Load(), limited)
	}
	if _, err := server.Key(t.Context(), "good", now.Add(time.Minute)); err != nil {
		t.Errorf("a minute later the true key: %v", err)
	}
}

func TestKeyServerFailures(t *testing.T) {
	t.Parallel()
	text := base64.StdEncoding.EncodeToString(spki(t, 0))
	cases := map[string]struct {
		reason string
		answer http.HandlerFunc
	}{
		"500":        {reason: "the server's fault", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		"not JSON":   {reason: "a proxy's page", answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }},
		"not a key":  {reason: "garbage", answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"key": "AAAA"}`)) }},
		"another id": {reason: "not what was asked", answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, `{"id": "x", "key": %q}`, text) }},
		"endless": {reason: "the answer is bounded", answer: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"x": "` + strings.Repeat("a", 1<<20) + `"}`))
		}},
		"hangs up":      {reason: "a broken connection", answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"never answers": {reason: "lookups have a timeout", answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := keyServer(t, c.answer)
			_, err := server.Key(t.Context(), "asked-for-id", time.Unix(created, 0))
			if err == nil || errors.Is(err, signature.ErrUnknownKey) {
				t.Fatalf("%s: got %v, want a failure that is no refusal", c.reason, err)
			}
			if strings.Contains(err.Error(), "asked-for-id") {
				t.Errorf("the error tells the id: %v", err)
			}
		})
	}
}

func TestKeyServerServesStaleKeysWhileDown(t *testing.T) {
	t.Parallel()
	var down, gone atomic.Bool
	answer := answerKey(t)
	server, _ := keyServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case down.Load():
			w.WriteHeader(http.StatusBadGateway)
		case gone.Load():
			http.NotFound(w, r)
		default:
			answer(w, r)
		}
	})
	now := time.Unix(created, 0)
	if _, err := server.Key(t.Context(), "good", now); err != nil {
		t.Fatal(err)
	}
	down.Store(true)
	if _, err := server.Key(t.Context(), "good", now.Add(48*time.Hour)); err != nil {
		t.Errorf("a known key while the server is down: %v", err)
	}
	down.Store(false)
	gone.Store(true)
	if _, err := server.Key(t.Context(), "good", now.Add(49*time.Hour)); !errors.Is(err, signature.ErrUnknownKey) {
		t.Errorf("a withdrawn key: got %v, want ErrUnknownKey", err)
	}
}

func TestKeyServerWithoutClient(t *testing.T) {
	t.Parallel()
	server, err := signature.NewKeyServer("https://keys.example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Key(t.Context(), "good", time.Unix(created, 0)); !errors.Is(err, signature.ErrUnknownKey) {
		t.Errorf("got %v, want ErrUnknownKey", err)
	}
	for _, address := range []string{"", "keys.example.com", "file:///etc/passwd", "https://", ":"} {
		if _, err := signature.NewKeyServer(address, nil); err == nil {
			t.Errorf("%q is accepted as a URL", address)
		}
	}
}

func TestKeyServerRequestGivesUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server, _ := keyServer(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := server.Key(ctx, "good", time.Unix(created, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the request's own end", err)
	}
}

func TestKeyServersShare(t *testing.T) {
	t.Parallel()
	servers := &signature.KeyServers{}
	first, err := servers.Get("https://keys.example.com/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := servers.Get("https://keys.example.com/a", nil)
	if err != nil || again != first {
		t.Errorf("one URL has two servers: %v", err)
	}
	other, err := servers.Get("https://keys.example.com/b", nil)
	if err != nil || other == first {
		t.Errorf("two URLs share a server: %v", err)
	}
	if _, err := servers.Get("nonsense", nil); err == nil {
		t.Error("a bad URL is accepted")
	}
	var none *signature.KeyServers
	if server, err := none.Get("https://keys.example.com/a", nil); err != nil || server == nil {
		t.Errorf("without a memory: %v", err)
	}
}
