package peer

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	testKey = "0123456789abcdef0123456789abcdef"
	path    = "/v1/handoff"
)

var here = netip.MustParseAddrPort("127.0.0.1:9090")

func key() ([]byte, error) { return []byte(testKey), nil }

func message(to netip.AddrPort, key, body string, at time.Time) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	Sign(r, to, []byte(key), []byte(body), at)
	return r
}

// unaddressed is a message as the release before signs it, computed with another implementation of HMAC.
func unaddressed() (*http.Request, time.Time) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("[]"))
	r.Header.Set("Mailvane-Time", "1767323045")
	r.Header.Set("Mailvane-Digest", "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945")
	r.Header.Set("Mailvane-Signature", "7bd3be879e893224e4acc39ca6847d98359b802673504a82b0736300eebadd4a")
	return r, time.Unix(1767323045, 0)
}

func TestGuard(t *testing.T) {
	t.Parallel()
	now := time.Now()
	changed := func(name, value string) *http.Request {
		r := message(here, testKey, "{}", now)
		r.Header.Set(name, value)
		return r
	}
	elsewhere := message(here, testKey, "{}", now)
	elsewhere.URL.Path = "/v1/handoff/keys"
	for name, tc := range map[string]struct {
		request *http.Request
		want    bool
	}{
		"authentic":                    {message(here, testKey, "{}", now), true},
		"a clock that is a bit behind": {message(here, testKey, "{}", now.Add(-4*time.Minute)), true},
		"unsigned":                     {httptest.NewRequest(http.MethodPost, path, http.NoBody), false},
		"another key":                  {message(here, strings.Repeat("x", 32), "{}", now), false},
		"old":                          {message(here, testKey, "{}", now.Add(-6*time.Minute)), false},
		"from the future":              {message(here, testKey, "{}", now.Add(6*time.Minute)), false},
		"for another port":             {message(netip.MustParseAddrPort("127.0.0.1:9091"), testKey, "{}", now), false},
		"for another pod":              {message(netip.MustParseAddrPort("203.0.113.9:9090"), testKey, "{}", now), false},
		"another time":                 {changed(headerTime, "1"), false},
		"another digest":               {changed(headerDigest, digest([]byte("[]"))), false},
		"another nonce":                {changed(headerNonce, "x"), false},
		"another addressee":            {changed(headerTo, "127.0.0.1:09090"), false},
		"its nonce taken away":         {changed(headerNonce, ""), false},
		"another path":                 {elsewhere, false},
	} {
		g := Guard{Key: key, Self: here, AllowUnaddressed: true}
		if _, err := g.Check(tc.request, now); (err == nil) != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAMessageIsTakenOnce replays a message at the pod that it was for.
func TestAMessageIsTakenOnce(t *testing.T) {
	t.Parallel()
	now := time.Now()
	g := Guard{Key: key, Self: here}
	first, equal := message(here, testKey, "{}", now), message(here, testKey, "{}", now)
	for i, tc := range []struct {
		request *http.Request
		at      time.Time
		want    bool
	}{{first, now, true}, {first, now, false}, {equal, now, true}, {first, now.Add(4 * time.Minute), false}} {
		if _, err := g.Check(tc.request, tc.at); (err == nil) != tc.want {
			t.Errorf("message %d: %v", i, err)
		}
	}
	g.sweep(now.Add(time.Hour).Unix())
	if len(g.seen) > 0 {
		t.Errorf("%d messages are remembered that are too old to be believed", len(g.seen))
	}
	repeats := Guard{Key: key, AllowRepeats: true}
	for range 2 {
		if _, err := repeats.Check(first, now); err != nil {
			t.Error(err)
		}
	}
}

func TestRememberedMessagesAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	g := Guard{Key: key, seen: map[string]int64{}, swept: now.Unix()}
	for i := range maxNonces {
		g.seen[strconv.Itoa(i)] = now.Unix()
	}
	if _, err := g.Check(message(here, testKey, "{}", now), now); err == nil {
		t.Error("one more is taken, and remembered")
	}
}

func TestMessagesOfTheReleaseBefore(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{true, false} {
		r, now := unaddressed()
		g := Guard{Key: key, Self: here, AllowUnaddressed: allowed}
		if _, err := g.Check(r, now); (err == nil) != allowed {
			t.Errorf("allowed %v: %v", allowed, err)
		}
	}
}

func TestABodyIsTheOneThatWasSigned(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{"{}": true, "[]": false, "": false, "{} and more than there may be": false} {
		r := message(here, testKey, "{}", time.Now())
		r.Body = http.NoBody
		if body != "" {
			r.Body = httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)).Body
		}
		if _, err := ReadBody(httptest.NewRecorder(), r, 10); (err == nil) != want {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestReadKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	read := ReadKey(file)
	if _, err := read(); err == nil {
		t.Error("no error without a file")
	}
	for _, content := range []string{testKey + "\n", strings.Repeat("another ", 4) + "key"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if key, err := read(); err != nil || !bytes.Equal(key, bytes.TrimSpace([]byte(content))) {
			t.Errorf("got %q, %v", key, err)
		}
	}
	if err := os.WriteFile(file, []byte("guess me"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(); err == nil {
		t.Error("a short key is taken")
	}
}
