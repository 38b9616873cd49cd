package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/rest"
	"github.com/mailvane/mailvane/receiver/netguard"
)

const key = "LEAK+key/of=the-api"

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// ask answers a request with a status, a header and a body.
func ask(t *testing.T, status int, header, body string) error {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}))
	defer server.Close()
	return rest.New(server.Client().Transport, server.URL, rest.NewSecrets(key), now).Do(t.Context(), registration.Request{Path: "/a"}, nil)
}

// TestWords repeats what providers say, each in a form of its own, and nothing that is no word of theirs.
func TestWords(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 200)
	for name, tc := range map[string]struct{ body, want string }{
		"a message":            {`{"message": "no such key"}`, "it answers 400: no such key"},
		"errors in a list":     {`{"errors": [{"message": "bad url", "field": "url"}, {"message": "bad event"}]}`, "it answers 400: bad url; bad event"},
		"errors by field":      {`{"errors": {"url": ["is not valid"], "name": ["is taken"]}}`, "it answers 400: is taken; is not valid"},
		"an error in an error": {`{"error": {"message": "nope", "code": "E1"}}`, "it answers 400: nope; E1"},
		"capitals":             {`{"ErrorCode": 10, "Message": "Bad or missing token"}`, "it answers 400: Bad or missing token"},
		"the same twice":       {`{"message": "nope", "detail": "nope"}`, "it answers 400: nope"},
		"no text":              {`{"message": 12}`, "it answers 400"},
		"a page":               {"<html>LEAK of a proxy</html>", "it answers 400"},
		"nothing":              {"", "it answers 400"},
		"a text":               {`"nope"`, "it answers 400"},
		"line breaks":          {`{"message": "a\nb\u0000c\u202ed"}`, "it answers 400: a b c d"},
		"a key":                {`{"message": "the key ` + key + ` is not known"}`, "it answers 400: the key [hidden] is not known"},
		"a key in a URL":       {`{"message": "https://a/?k=LEAK%2Bkey%2Fof%3Dthe-api"}`, "it answers 400: https://a/[hidden]"},
		"somebody's URL":       {`{"message": "https://u:LEAK@other.example.com/LEAK?LEAK is there, see https://docs.example.com"}`, "it answers 400: https://other.example.com/[hidden] is there, see https://docs.example.com"},
		"the key's beginning":  {`{"message": "the key LEAK+key... is not known"}`, "it answers 400: the key [hidden] is not known"},
		"deep":                 {strings.Repeat(`{"errors": [`, 50) + `"LEAK"` + strings.Repeat("]}", 50), "it answers 400"},
		"many words":           {`{"message": "` + long + `"}`, "it answers 400: " + long[:300] + " ..."},
	} {
		if got := ask(t, 400, "", tc.body); got == nil || got.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", name, got, tc.want)
		}
	}
}

// TestKinds says of each status what can be done.
func TestKinds(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]registration.Kind{
		400: registration.Refused, 401: registration.Unauthorized, 403: registration.Unauthorized, 404: registration.Missing, 410: registration.Missing,
		408: registration.Unavailable, 409: registration.Exists, 422: registration.Refused, 425: registration.Unavailable, 429: registration.Limited,
		301: registration.Unavailable, 500: registration.Unavailable, 503: registration.Unavailable,
	} {
		if err := ask(t, status, "", `{}`); !registration.IsKind(err, want) {
			t.Errorf("%d: got %v", status, err)
		}
	}
	if err := ask(t, 204, "", ""); err != nil {
		t.Errorf("204: got %v", err)
	}
}

// TestRetryAfter reads both forms, and neither what cannot be nor what would put the manager off for ever.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const most = 6 * time.Hour
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-7": 0, "soon": 0, "1.5": 0, "99999999": most, "9223372036854775807": most, "99999999999999999999": 0,
		"Sun, 01 Mar 2026 12:01:00 GMT": time.Minute, "Sun, 01 Mar 2026 11:00:00 GMT": 0, "Fri, 01 Mar 2126 12:00:00 GMT": most,
	} {
		err, ok := ask(t, 429, value, "{}").(*registration.Error) //nolint:errorlint // it is returned as it is
		if !ok || err.RetryAfter != want {
			t.Errorf("%q: got %+v, want %v", value, err, want)
		}
	}
}

// TestAnAnswerWithoutAnEnd is read up to a bound.
func TestAnAnswerWithoutAnEnd(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	var out any
	err := rest.New(server.Client().Transport, server.URL, rest.NewSecrets(), now).Do(t.Context(), registration.Request{}, &out)
	if !registration.IsKind(err, registration.Unavailable) || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
}

// TestGuardedAddresses are not connected to, and the URL, which may hold a credential, is not repeated.
func TestGuardedAddresses(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	transport := rest.NewTransport(netguard.Guard{Own: true}.Dialer(rest.ConnectTimeout))
	for _, base := range []string{server.URL, "http://169.254.169.254", "http://[fd00:ec2::254]", "http://localhost:1"} {
		err := rest.New(transport, base+"/LEAK", rest.NewSecrets(), now).Do(t.Context(), registration.Request{Path: "/v1"}, nil)
		if !registration.IsKind(err, registration.Unavailable) || !strings.Contains(err.Error(), "not allowed") || strings.Contains(err.Error(), "LEAK") {
			t.Errorf("%s: got %v", base, err)
		}
	}
}

// TestNobodyThere says the same each time: the port of our own end is another one.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := rest.New(http.DefaultTransport, server.URL, rest.NewSecrets(), now)
	first, second := c.Do(t.Context(), registration.Request{}, nil), c.Do(t.Context(), registration.Request{}, nil)
	if !registration.IsKind(first, registration.Unavailable) || first.Error() != second.Error() {
		t.Errorf("got %v, then %v", first, second)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Do(ctx, registration.Request{}, nil); err == nil {
		t.Error("a request that is cancelled succeeds")
	}
}
