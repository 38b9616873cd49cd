package intake_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
)

const path = "/hooks/mail/ee"

func TestASignedRequestIsStoredOnce(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	first := f.do(sample(t, "EmailEngine", "messageBounce", path))
	if first.status != 200 || first.body != `{"accepted":1,"duplicates":0}` {
		t.Fatalf("first: %d %s", first.status, first.body)
	}
	second := f.do(sample(t, "EmailEngine", "messageBounce", path))
	if second.status != 200 || second.body != `{"accepted":0,"duplicates":1}` {
		t.Fatalf("second: %d %s", second.status, second.body)
	}
	owed := f.owed("crm")
	if len(owed) != 1 || owed[0].Type != event.Bounced || owed[0].Unverified {
		t.Fatalf("owed: %+v", owed)
	}
}

// TestTheCopyOfACustomRoute has EmailEngine post an event twice, by its default webhook and by a custom route, which may change it.
func TestTheCopyOfACustomRoute(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	post := func(route, body string) answer {
		r := signed(t, path, body)
		r.Header.Set("X-EE-Wh-Event-Id", "e-1")
		r.Header.Set("X-EE-Wh-Custom-Route", route)
		return f.do(r)
	}
	if a := post("", trackOpen); a.status != 200 || a.Accepted != 1 {
		t.Fatalf("the event: %d %s", a.status, a.body)
	}
	if a := post("r-1", trackOpen); a.status != 200 || a.Duplicates != 1 {
		t.Errorf("its copy: %d %s, want a duplicate", a.status, a.body)
	}
	if a := post("r-2", strings.Replace(trackOpen, `"data":{`, `"data":{"campaign":"spring",`, 1)); a.status != 200 || a.Accepted != 1 {
		t.Errorf("a copy that says more: %d %s, want it to be taken", a.status, a.body)
	}
	if owed := f.owed("crm"); len(owed) != 2 || owed[0].ProviderEventID != owed[1].ProviderEventID || owed[0].ID == owed[1].ID {
		t.Errorf("the sink is owed %+v", owed)
	}
}

func TestWhatIsNotAuthenticIsRefusedAlike(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	unsigned := signed(t, path, `{"event":"trackOpen"}`)
	unsigned.Header.Del("X-EE-Wh-Signature")
	tampered := signed(t, path, `{"event":"trackOpen"}`)
	tampered.Body = io.NopCloser(strings.NewReader(`{"event":"trackOpem"}`))
	malformed := signed(t, path, `{"event":"trackOpen"}`)
	malformed.Header.Set("X-EE-Wh-Signature", "???")
	var bodies []string
	for name, r := range map[string]*http.Request{"unsigned": unsigned, "tampered": tampered, "malformed": malformed} {
		a := f.do(r)
		if a.status != 401 || a.header.Get("Content-Type") != "application/problem+json" || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
		bodies = append(bodies, a.body)
	}
	if bodies[0] != bodies[1] || bodies[1] != bodies[2] {
		t.Errorf("the answers tell which check failed: %q", bodies)
	}
	if n := len(f.journal.Stats().Pending); n != 0 {
		t.Errorf("something was stored: %v", f.journal.Stats().Pending)
	}
}

func TestProbesTouchNothing(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		if a := f.do(httptest.NewRequest(method, path, nil)); a.status != 200 || a.body != "" {
			t.Errorf("%s: %d %q", method, a.status, a.body)
		}
	}
}

// unavailable makes of an endpoint what is left of one that cannot work.
func unavailable(e *config.Endpoint) {
	*e = config.Endpoint{Namespace: e.Namespace, Name: e.Name, Path: e.Path, Verification: e.Verification, State: config.Unavailable}
}

func TestAnUnavailableEndpointCanBeProbed(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(unavailable))
	if a := f.do(httptest.NewRequest(http.MethodGet, path, nil)); a.status != 200 {
		t.Errorf("%d %q", a.status, a.body)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	const body = `{"event":"trackOpen","data":{"messageId":"<a@example.com>"}}`
	small := func(e *config.Endpoint) { e.MaxBodyBytes = 10 }
	cases := map[string]struct {
		endpoint func(*config.Endpoint)
		request  func(*http.Request)
		status   int
		say      string
		header   string
	}{
		"unknown path":       {nil, func(r *http.Request) { r.URL.Path = "/hooks/other" }, 404, "No endpoint has this path", ""},
		"path below":         {nil, func(r *http.Request) { r.URL.Path = path + "/x" }, 404, "No endpoint has this path", ""},
		"method":             {nil, func(r *http.Request) { r.Method = http.MethodPut }, 405, "POST", "Allow"},
		"declared too large": {small, nil, 413, "spec.maxBodySize", ""},
		"chunked too large":  {small, func(r *http.Request) { r.ContentLength = -1 }, 413, "spec.maxBodySize", ""},
		"compressed":         {nil, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415, "without Content-Encoding", "Accept-Encoding"},
		"truncated":          {nil, func(r *http.Request) { r.ContentLength = int64(len(body)) + 1 }, 400, "ended before", ""},
		"paused":             {func(e *config.Endpoint) { e.State = config.Paused }, nil, 503, "paused", "Retry-After"},
		"unavailable":        {unavailable, nil, 503, "cannot work now", "Retry-After"},
		"unavailable, token": {unavailable, func(r *http.Request) { r.URL.Path = path + "/token" }, 503, "cannot work now", "Retry-After"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, emailEngine(tc.endpoint))
			r := signed(t, path, body)
			if tc.request != nil {
				tc.request(r)
			}
			a := f.do(r)
			if a.status != tc.status || !strings.Contains(a.body, tc.say) || a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s %v", a.status, a.body, a.header)
			}
			if tc.header != "" && a.header.Get(tc.header) == "" {
				t.Errorf("no %s header", tc.header)
			}
		})
	}
}

// refusing is a journal that cannot store; only the errors matter.
type refusing struct{ err error }

func (r refusing) Append(context.Context, journal.Batch) (journal.Receipt, error) {
	return journal.Receipt{}, r.err
}

func TestNoStorageIsNever200(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"full": journal.ErrFull, "unavailable": fmt.Errorf("%w: disk is gone", journal.ErrUnavailable),
		"closed": journal.ErrClosed, "cancelled": context.Canceled, "anything else": errors.New("x"),
	} {
		f := newFrontWith(t, intake.Options{Journal: refusing{err}}, emailEngine(nil))
		a := f.do(signed(t, path, `{"event":"trackOpen"}`))
		if a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q", name, a.status, a.header.Get("Retry-After"))
		}
	}
}

func TestAStoppingReceiverAnswers503(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	f.handler.StopAccepting()
	if a := f.do(signed(t, path, `{"event":"trackOpen"}`)); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestAVerifiedBodyThatCannotBeReadIsKept(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"not JSON":        `hello`,
		"truncated JSON":  `{"event":"trackOpen","data":{`,
		"a number":        `1`,
		"duplicate keys":  `{"event":"trackOpen","event":"trackClick"}`,
		"UTF-16":          "\xff\xfe{\x00}\x00",
		"deeply nested":   strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
		"nothing":         ``,
		"form, not JSON":  `event=trackOpen&account=x`,
		"two documents":   `{"event":"trackOpen"}{"event":"trackOpen"}`,
		"a NUL character": "\x00",
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, emailEngine(nil))
			a := f.do(signed(t, path, body))
			if a.status != 200 || a.Accepted != 0 || a.DeadLettered != 1 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			letters := f.deadLetters()
			if len(letters) != 1 || string(letters[0].Payload) != body || letters[0].Cause != journal.CauseUndecodable ||
				letters[0].Reason == "" || letters[0].Endpoint != "mail/ee" {
				t.Errorf("dead letters: %+v", letters)
			}
			if again := f.do(signed(t, path, body)); again.DeadLettered != 0 {
				t.Errorf("a repeat became a second dead letter: %s", again.body)
			}
		})
	}
}

func TestAFailingFilterKeepsTheEventForItsRoute(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(func(e *config.Endpoint) {
		e.Routes = []config.Route{
			{Name: "bug", Sink: "warehouse", Filter: `{"a": 1}[event.id] == 1`},
			{Name: "all", Sink: "crm"},
		}
	}))
	if a := f.do(sample(t, "EmailEngine", "messageSent", path)); a.status != 200 || a.Accepted != 1 || a.DeadLettered != 1 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if len(f.owed("crm")) != 1 || len(f.owed("warehouse")) != 0 {
		t.Error("the other route did not get the event, or the failing one did")
	}
	letters := f.deadLetters()
	if len(letters) != 1 || letters[0].Route != "bug" || letters[0].Sink != "mail/warehouse" || letters[0].Cause != journal.CauseFilterFailed {
		t.Errorf("dead letters: %+v", letters)
	}
}

func TestAnEventThatNoRouteWantsIsStillRecognised(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(func(e *config.Endpoint) { e.Routes = nil }))
	f.do(sample(t, "EmailEngine", "messageSent", path))
	if a := f.do(sample(t, "EmailEngine", "messageSent", path)); a.Duplicates != 1 {
		t.Errorf("%s", a.body)
	}
}
