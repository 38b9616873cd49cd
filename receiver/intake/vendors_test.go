package intake_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
)

// TestMandrillIsSetUp goes through what Mandrill does while somebody saves a webhook whose key nobody knows yet, and what comes after it.
func TestMandrillIsSetUp(t *testing.T) {
	t.Parallel()
	const at = "/hooks/mail/mandrill"
	f := newFront(t, emailEngine(func(e *config.Endpoint) {
		e.Name, e.Path = "mandrill", at
		e.Provider = config.Plugin{Type: "Mandrill", Settings: []byte(`{"webhookKeys": ["example-webhook-key"], "publicURLs": ["https://hooks.example.com/hooks/mail/mandrill"]}`)}
	}))
	post := func(body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	if a := f.do(httptest.NewRequest(http.MethodHead, at, http.NoBody)); a.status != 200 {
		t.Errorf("the probe: %d", a.status)
	}
	w := httptest.NewRecorder()
	if f.handler.ServeHTTP(w, post("mandrill_events=%5B%5D")); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("the test: %d %q", w.Code, w.Body)
	}
	if a := f.do(post("mandrill_events=%5B%7B%22event%22%3A%22send%22%7D%5D")); a.status != 401 {
		t.Errorf("an event without a signature: %d %s", a.status, a.body)
	}
	if got := len(f.owed("crm")) + len(f.deadLetters()); got != 0 {
		t.Errorf("%d events before there was one", got)
	}
	if a := f.do(sample(t, "Mandrill", "batch", at)); a.status != 200 || a.Accepted != 2 {
		t.Errorf("events: %d %s", a.status, a.body)
	}
	if a := f.do(sample(t, "Mandrill", "batch", at)); a.status != 200 || a.Duplicates != 2 {
		t.Errorf("the same again: %d %s", a.status, a.body)
	}
}

// TestPostmarkIsNeverForbidden has what Postmark gives up at: 403 ends its attempts, and a password can be mended.
func TestPostmarkIsNeverForbidden(t *testing.T) {
	t.Parallel()
	const at = "/hooks/mail/postmark"
	endpoint := func(a config.Authentication) config.Endpoint {
		return emailEngine(func(e *config.Endpoint) {
			e.Name, e.Path, e.Authentication = "postmark", at, a
			e.Provider = config.Plugin{Type: "Postmark", Settings: []byte(`{}`)}
		})
	}
	if err := tryCompile(t, endpoint(config.Authentication{})); err == nil || !strings.Contains(err.Error(), "another factor is needed") {
		t.Errorf("an endpoint that checks nothing: %v", err)
	}
	basic := config.Authentication{Basic: config.Basic{Secrets: []config.BasicCredential{{Username: "postmark", Password: "a-long-password"}}}}
	ranges := config.Authentication{AllowedCIDRs: []string{"203.0.113.0/24"}}
	for name, a := range map[string]config.Authentication{"basic": basic, "ranges": ranges} {
		f := newFront(t, endpoint(a))
		r := sample(t, "Postmark", "Bounce-HardBounce", at)
		if a := f.do(r); a.status != 401 {
			t.Errorf("%s, refused: %d %v", name, a.status, a.header)
		}
	}
	f := newFront(t, endpoint(basic))
	r := sample(t, "Postmark", "Bounce-HardBounce", at)
	r.SetBasicAuth("postmark", "a-long-password")
	if a := f.do(r); a.status != 200 || a.Accepted != 1 {
		t.Errorf("with the password: %d %s", a.status, a.body)
	}
}
