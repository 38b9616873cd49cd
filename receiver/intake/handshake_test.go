package intake_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/provider"
)

// asking stands for providers that ask before they send: it echoes a challenge, and wants a subscription to be confirmed.
type asking struct {
	confirm provider.Confirmation
	reply   *provider.Reply
	seen    *atomic.Pointer[provider.Request]
}

func (asking) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	if string(r.Body) == "forged" {
		return provider.Proof{}, provider.Refuse(provider.ReasonMismatch)
	}
	return provider.Proof{Key: "1"}, nil
}

func (a asking) Decode(r *provider.Request) provider.Batch {
	seen := *r // the memory of r is used again
	a.seen.Store(&seen)
	b := provider.Batch{Reply: a.reply}
	if a.confirm.URL != "" {
		b.Confirm = []provider.Confirmation{a.confirm, a.confirm}
	}
	return b
}

func (asking) Methods() []string { return []string{http.MethodOptions} }

func (asking) Handshake(r *provider.Request) (provider.Reply, bool) {
	if challenge, ok := strings.CutPrefix(r.Query, "challenge="); ok {
		return provider.Reply{Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte(challenge)}, true
	}
	if r.Method == http.MethodOptions {
		return provider.Reply{Status: http.StatusNoContent, Header: http.Header{"Webhook-Allowed-Origin": {"*"}}}, true
	}
	return provider.Reply{}, false
}

// frontOf is a front whose only endpoint is of a provider of the test's own.
func frontOf(t *testing.T, w provider.Webhook, o intake.Options, change func(*config.Endpoint)) *front {
	t.Helper()
	f := newFrontWith(t, o)
	compiler := newCompiler(t, f.metrics)
	compiler.Lookup = func(string) (provider.Kind, bool) {
		return provider.Kind{New: func([]byte, provider.Environment) (provider.Webhook, error) { return w, nil }}, true
	}
	table, err := compiler.Compile(&config.Config{Version: config.Version, Endpoints: []config.Endpoint{emailEngine(change)}})
	if err != nil {
		t.Fatal(err)
	}
	f.handler.Swap(table)
	return f
}

func withToken(e *config.Endpoint) {
	e.Authentication.PathToken.Secrets = []string{"a-token-of-16-bytes"}
}

func withBasic(e *config.Endpoint) {
	e.Authentication.Basic.Secrets = []config.BasicCredential{{Username: "u", Password: "a-long-password"}}
}

func TestHandshakes(t *testing.T) {
	t.Parallel()
	const path = "/hooks/mail/ee"
	cases := map[string]struct {
		endpoint     func(*config.Endpoint)
		method, url  string
		status       int
		body, header string
		value        string
	}{
		"a challenge by GET":           {nil, http.MethodGet, path + "?challenge=<b>x", 200, "<b>x", "Content-Type", "text/plain"},
		"a challenge by POST":          {nil, http.MethodPost, path + "?challenge=x", 200, "x", "X-Content-Type-Options", "nosniff"},
		"a method of its own":          {nil, http.MethodOptions, path, 204, "", "Webhook-Allowed-Origin", "*"},
		"a probe":                      {nil, http.MethodGet, path, 200, "", "Content-Type", ""},
		"a method that it has not":     {nil, http.MethodPut, path, 405, "", "Allow", "POST, GET, HEAD, OPTIONS"},
		"without the factor":           {withToken, http.MethodGet, path + "?challenge=x", 401, "unauthorized", "", ""},
		"with the factor":              {withToken, http.MethodGet, path + "/a-token-of-16-bytes?challenge=x", 200, "x", "", ""},
		"a probe without the factor":   {withToken, http.MethodHead, path, 200, "", "", ""},
		"basic is asked for":           {withBasic, http.MethodPost, path, 401, "unauthorized", "Www-Authenticate", `Basic realm="mailvane", charset="UTF-8"`},
		"basic is asked for by OPTION": {withBasic, http.MethodOptions, path, 401, "unauthorized", "Www-Authenticate", `Basic realm="mailvane", charset="UTF-8"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := frontOf(t, asking{seen: &atomic.Pointer[provider.Request]{}}, intake.Options{}, c.endpoint)
			a := httptest.NewRecorder()
			f.handler.ServeHTTP(a, httptest.NewRequest(c.method, c.url, strings.NewReader("{}")))
			if body := a.Body.String(); a.Code != c.status || !strings.Contains(body, c.body) || c.body == "" && c.status < 300 && body != "" {
				t.Errorf("%d %q, want %d %q", a.Code, body, c.status, c.body)
			}
			if got := a.Header().Get(c.header); c.header != "" && got != c.value {
				t.Errorf("%s: %q, want %q", c.header, got, c.value)
			}
		})
	}
}

// TestConfirmations checks the calls that a provider waits for.
func TestConfirmations(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		body            string
		shadow, manual  bool
		answer          int
		noClient        bool
		status, calls   int
		logged, unsaid  string
		redirectAnswers bool
	}{
		"confirmed":            {answer: 200, status: 200, calls: 1, logged: "confirmed a subscription", unsaid: "token"},
		"refused":              {answer: 500, status: 503, calls: 1, logged: "answered 500", unsaid: "token"},
		"moved":                {answer: 302, status: 503, calls: 1, logged: "answered 302"},
		"by hand":              {manual: true, status: 200, logged: "token"},
		"no calls are allowed": {noClient: true, status: 503, logged: "makes no calls"},
		"forged":               {body: "forged", answer: 200, status: 401},
		"forged, in shadow":    {body: "forged", shadow: true, answer: 200, status: 200},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				if r.URL.Path != "/" {
					return
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.answer)
			}))
			t.Cleanup(server.Close)
			var log bytes.Buffer
			o := intake.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
			if !c.noClient {
				o.HTTPClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			}
			w := asking{confirm: provider.Confirmation{URL: server.URL + "/?token", Subject: "a-topic", Manual: c.manual}, seen: &atomic.Pointer[provider.Request]{}}
			f := frontOf(t, w, o, func(e *config.Endpoint) {
				if c.shadow {
					e.Verification = config.Shadow
				}
			})
			for range 3 {
				calls.Store(0)
				if a := f.do(httptest.NewRequest(http.MethodPost, "/hooks/mail/ee", strings.NewReader(c.body))); a.status != c.status {
					t.Errorf("%d %s, want %d", a.status, a.body, c.status)
				}
				if got := int(calls.Load()); got != c.calls {
					t.Errorf("%d calls, want %d", got, c.calls)
				}
			}
			if !strings.Contains(log.String(), c.logged) || c.unsaid != "" && strings.Contains(log.String(), c.unsaid) || strings.Count(log.String(), "\n") > 1 {
				t.Errorf("logged %q", log.String())
			}
		})
	}
}

// TestRequestOfAProvider checks what a provider sees of a request, and that its answer is sent.
func TestRequestOfAProvider(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ public, want string }{
		"the endpoint's own host": {"https://hooks.example.com", "https://hooks.example.com/hooks/mail/ee/a-token-of-16-bytes?a=%20b"},
		"that of the request":     {"", "https://pod.example.com/hooks/mail/ee/a-token-of-16-bytes?a=%20b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := asking{seen: &atomic.Pointer[provider.Request]{}, reply: &provider.Reply{Status: http.StatusAccepted, Body: []byte("thanks")}}
			f := frontOf(t, w, intake.Options{}, func(e *config.Endpoint) {
				withToken(e)
				e.PublicURL = c.public
			})
			r := httptest.NewRequest(http.MethodPost, "https://pod.example.com/hooks/mail/ee/a-token-of-16-bytes?a=%20b", strings.NewReader("{}"))
			a := httptest.NewRecorder()
			if f.handler.ServeHTTP(a, r); a.Code != http.StatusAccepted || a.Body.String() != "thanks" {
				t.Errorf("%d %q", a.Code, a.Body)
			}
			if got := w.seen.Load().URL(); got != c.want {
				t.Errorf("URL %q, want %q", got, c.want)
			}
		})
	}
}

// TestRepliesAreForWhoIsVerified has a provider's own answer to what passes only because the endpoint is in shadow mode: an answer may
// be what makes a provider send.
func TestRepliesAreForWhoIsVerified(t *testing.T) {
	t.Parallel()
	w := asking{seen: &atomic.Pointer[provider.Request]{}, reply: &provider.Reply{Body: []byte(`{"agreed":1}`)}}
	f := frontOf(t, w, intake.Options{}, func(e *config.Endpoint) { e.Verification = config.Shadow })
	for body, want := range map[string]string{"{}": `{"agreed":1}`, "forged": `"accepted":0`} {
		if a := f.do(httptest.NewRequest(http.MethodPost, "/hooks/mail/ee", strings.NewReader(body))); a.status != 200 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s, want %s", body, a.status, a.body, want)
		}
	}
}

// reading reads a header that only its settings name.
type reading struct{ asking }

func (reading) DecodeHeaders() []string { return []string{"X-Kind"} }

func (reading) Decode(r *provider.Request) provider.Batch {
	return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: "no"}}}
}

// TestHeadersOfTheSettingsAreKept keeps with a dead letter what decoding it again will read.
func TestHeadersOfTheSettingsAreKept(t *testing.T) {
	t.Parallel()
	f := frontOf(t, reading{}, intake.Options{}, nil)
	r := httptest.NewRequest(http.MethodPost, "/hooks/mail/ee", strings.NewReader("{}"))
	r.Header.Set("X-Kind", "bounce")
	r.Header.Set("X-Other", "secret")
	f.do(r)
	letters := f.deadLetters()
	if len(letters) != 1 || len(letters[0].Header) != 1 || letters[0].Header["X-Kind"] != "bounce" {
		t.Errorf("kept %+v", letters)
	}
}
