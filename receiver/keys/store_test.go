package keys_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/signature"
)

// received is when requests arrive.
func received() time.Time { return time.Unix(1738868393, 0) }

// publisher counts what it is asked; answer is called for each lookup.
func publisher(t *testing.T, answer http.HandlerFunc) (store *keys.Store[string], asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(backend.Close)
	return keys.NewStore(func(ctx context.Context, id string) (string, error) {
		data, err := keys.Get(ctx, backend.Client(), backend.URL+"/"+id)
		return string(data), err
	}), asked
}

func answerKey(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/good" {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write([]byte("the key"))
}

func TestStoreRemembers(t *testing.T) {
	t.Parallel()
	server, asked := publisher(t, answerKey)
	now := received()
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			got, err := server.Key(t.Context(), "good", now)
			if err != nil || got != "the key" {
				t.Errorf("got %q, %v", got, err)
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

func TestStoreUnknown(t *testing.T) {
	t.Parallel()
	server, asked := publisher(t, answerKey)
	now := received()
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

func TestStoreIsNoAmplifier(t *testing.T) {
	t.Parallel()
	server, asked := publisher(t, answerKey)
	now := received()
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

func TestStoreFailures(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		answer http.HandlerFunc
	}{
		"500": {reason: "the server's fault", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		"endless": {reason: "the answer is bounded", answer: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"x": "` + strings.Repeat("a", 1<<20) + `"}`))
		}},
		"hangs up":      {reason: "a broken connection", answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"never answers": {reason: "lookups have a timeout", answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := publisher(t, c.answer)
			_, err := server.Key(t.Context(), "asked-for-id", received())
			if err == nil || errors.Is(err, signature.ErrUnknownKey) {
				t.Fatalf("%s: got %v, want a failure that is no refusal", c.reason, err)
			}
			if strings.Contains(err.Error(), "asked-for-id") {
				t.Errorf("the error tells the id: %v", err)
			}
		})
	}
}

func TestStoreServesStaleKeysWhileDown(t *testing.T) {
	t.Parallel()
	var down, gone atomic.Bool
	server, _ := publisher(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case down.Load():
			w.WriteHeader(http.StatusBadGateway)
		case gone.Load():
			http.NotFound(w, r)
		default:
			answerKey(w, r)
		}
	})
	now := received()
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

func TestStoreOfNothing(t *testing.T) {
	t.Parallel()
	if _, err := keys.NewStore[string](nil).Key(t.Context(), "good", received()); !errors.Is(err, signature.ErrUnknownKey) {
		t.Errorf("got %v, want ErrUnknownKey", err)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "keys.example.com", "file:///etc/passwd", "https://", ":", "https://user@keys.example.com/"} {
		if keys.CheckURL(address) == nil {
			t.Errorf("%q is accepted", address)
		}
	}
	if err := keys.CheckURL("https://keys.example.com/a?b=c"); err != nil {
		t.Error(err)
	}
}

func TestStoreRequestGivesUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server, _ := publisher(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := server.Key(ctx, "good", received()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the request's own end", err)
	}
}

func TestShared(t *testing.T) {
	t.Parallel()
	build := func() *keys.Store[string] { return keys.NewStore[string](nil) }
	var r keys.Registry
	first := keys.Shared(&r, "a", build)
	if keys.Shared(&r, "a", build) != first {
		t.Error("one publisher has two stores")
	}
	if keys.Shared(&r, "b", build) == first {
		t.Error("two publishers share a store")
	}
	if keys.Shared(&r, "a", func() *keys.Store[int] { return keys.NewStore[int](nil) }) == nil {
		t.Error("keys of another type have no store")
	}
	if keys.Shared[string](nil, "a", build) == nil {
		t.Error("without a registry there is no store")
	}
}
