package intake_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
)

const (
	grace    = 2 * time.Minute
	latePath = "/hooks/mail/late"
	opened   = `{"event":"trackOpen","data":{"messageId":"<a@example.com>"}}`
)

// newYoungFront returns an intake that has just started, and what makes it older.
func newYoungFront(t *testing.T, grace time.Duration) (f *front, pass func(time.Duration)) {
	t.Helper()
	now := time.Now()
	f = newFrontWith(t, intake.Options{UnknownPathGrace: grace, Now: func() time.Time { return now }}, emailEngine(nil))
	return f, func(d time.Duration) { now = now.Add(d) }
}

// wantUnknown posts and probes where no endpoint is.
func (f *front) wantUnknown(when string, status int, say string) {
	f.t.Helper()
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodHead, http.MethodPut} {
		for _, path := range []string{latePath, latePath + "/token", path + "/token", "/"} {
			r := signed(f.t, path, opened)
			r.Method = method
			a := f.do(r)
			if a.status != status || !strings.Contains(a.body, say) || a.header.Get("Content-Type") != "application/problem+json" {
				f.t.Errorf("%s, %s %s: %d %s %v", when, method, path, a.status, a.body, a.header)
			}
			if retry := a.header.Get("Retry-After"); (retry != "") != (status == http.StatusServiceUnavailable) {
				f.t.Errorf("%s, %s %s: %d with Retry-After %q", when, method, path, a.status, retry)
			}
		}
	}
}

// wantKnown posts to and probes the endpoint that was there from the start.
func (f *front) wantKnown(when string) {
	f.t.Helper()
	if a := f.do(signed(f.t, path, opened)); a.status != http.StatusOK {
		f.t.Errorf("%s: %d %s", when, a.status, a.body)
	}
	if a := f.do(httptest.NewRequest(http.MethodGet, path, nil)); a.status != http.StatusOK {
		f.t.Errorf("%s, probe: %d %s", when, a.status, a.body)
	}
}

func TestAnUnknownPathIsRetriedUntilTheConfigurationIsSure(t *testing.T) {
	t.Parallel()
	f, pass := newYoungFront(t, grace)
	f.wantUnknown("at once", http.StatusServiceUnavailable, "/unknown-yet")
	f.wantKnown("at once")
	pass(grace - time.Nanosecond)
	f.wantUnknown("at the last moment", http.StatusServiceUnavailable, "/unknown-yet")
	f.wantKnown("at the last moment")
	pass(time.Nanosecond)
	f.wantUnknown("then", http.StatusNotFound, "/unknown-path")
	f.wantKnown("then")
}

func TestWithoutAGraceAnUnknownPathIsNotFoundAtOnce(t *testing.T) {
	t.Parallel()
	f, _ := newYoungFront(t, 0)
	f.wantUnknown("at once", http.StatusNotFound, "/unknown-path")
	f.wantKnown("at once")
}

func TestAConfigurationThatArrivesCountsAtOnce(t *testing.T) {
	t.Parallel()
	f, pass := newYoungFront(t, grace)
	late := func(e *config.Endpoint) { e.Name, e.Path = "late", latePath }
	f.swap(emailEngine(nil), emailEngine(late))
	if a := f.do(signed(t, latePath, opened)); a.status != http.StatusOK || a.Accepted != 1 {
		t.Errorf("%d %s", a.status, a.body)
	}
	// No configuration makes the receiver sure: the next one may be on its way.
	if a := f.do(signed(t, "/hooks/mail/later", opened)); a.status != http.StatusServiceUnavailable {
		t.Errorf("another unknown path: %d %s", a.status, a.body)
	}
	f.swap(emailEngine(nil))
	f.wantUnknown("a path that was removed", http.StatusServiceUnavailable, "/unknown-yet")
	pass(grace)
	f.wantUnknown("a path that was removed, later", http.StatusNotFound, "/unknown-path")
}
