package intake_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/intake"
)

// recorder notes what it is told.
type recorder struct {
	mu       sync.Mutex
	refused  []history.Refusal
	attempts []history.Attempt
}

func (r *recorder) Refused(x history.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = append(r.refused, x)
}

func (r *recorder) Attempted(a history.Attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts = append(r.attempts, a)
}

// TestARefusedRequestIsTold tells of requests that are not authentic, by a signature and by a factor, and of nothing that is in them.
func TestARefusedRequestIsTold(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	told := &recorder{}
	guarded := emailEngine(func(e *config.Endpoint) {
		e.Name, e.Path = "guarded", "/hooks/mail/guarded"
		e.Authentication.Header = config.HeaderFactor{Name: "X-Key", Secrets: []string{"0123456789abcdef"}}
	})
	shadow := emailEngine(func(e *config.Endpoint) {
		e.Name, e.Path, e.Verification = "shadow", "/hooks/mail/shadow", config.Shadow
	})
	f := newFrontWith(t, intake.Options{Recorder: told, Now: func() time.Time { return now }}, emailEngine(nil), guarded, shadow)
	forge := func(path string) {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"secret":"ada@example.com"}`))
		r.RemoteAddr = "192.0.2.7:1234"
		r.Header.Set("X-Personal", "ada@example.com")
		f.do(r)
	}
	for _, path := range []string{"/hooks/mail/ee", "/hooks/mail/guarded", "/hooks/mail/shadow", "/hooks/mail/none"} {
		forge(path)
	}
	f.do(signed(t, path, opened)) // and one that is authentic
	want := []history.Refusal{
		{At: now, Endpoint: "mail/ee", Reason: told.refused[0].Reason, Address: "192.0.2.7", Headers: []string{"X-Personal"}, Size: 28},
		{At: now, Endpoint: "mail/guarded", Reason: "header", Address: "192.0.2.7", Headers: []string{"X-Personal"}, Size: 28},
	}
	if diff := cmp.Diff(want, told.refused); diff != "" || told.refused[0].Reason == "" {
		t.Error(diff)
	}
	if len(told.attempts) != 0 {
		t.Errorf("%+v", told.attempts)
	}
}

// TestManyHeadersAreFewNames sends more and longer names than are kept.
func TestManyHeadersAreFewNames(t *testing.T) {
	t.Parallel()
	told := &recorder{}
	f := newFrontWith(t, intake.Options{Recorder: told}, emailEngine(nil))
	r := httptest.NewRequest(http.MethodPost, "/hooks/mail/ee", strings.NewReader("{}"))
	for n := range 80 {
		r.Header.Set(fmt.Sprintf("X-%02d-%s", n, strings.Repeat("a", 200)), "1")
	}
	f.do(r)
	if names := told.refused[0].Headers; len(names) != 50 || len(names[0]) != 100 {
		t.Errorf("%d names, the first of %d bytes", len(names), len(names[0]))
	}
}

// TestAFailedFilterIsTold has the filter of a route fail: its dead letter is told beside the event.
func TestAFailedFilterIsTold(t *testing.T) {
	t.Parallel()
	told := &recorder{}
	f := newFrontWith(t, intake.Options{Recorder: told}, emailEngine(func(e *config.Endpoint) {
		e.Routes = []config.Route{{Name: "all", Sink: "crm", Filter: `timestamp(event.account) > timestamp("2026-01-01T00:00:00Z")`}}
	}))
	f.do(signed(t, path, opened))
	if len(told.attempts) != 1 || told.attempts[0].Outcome != history.Dead || told.attempts[0].Sink != "mail/crm" || len(told.attempts[0].Events) != 1 || told.attempts[0].Answer == "" {
		t.Errorf("%+v", told.attempts)
	}
	f.do(signed(t, path, opened))
	if len(told.attempts) != 1 {
		t.Errorf("a duplicate is told: %+v", told.attempts)
	}
}
