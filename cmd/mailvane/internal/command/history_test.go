package command

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/admin"
)

// rememberer is an admin API whose history has one event, a bounce, and which notes what it is asked.
type rememberer struct {
	mu     sync.Mutex
	asked  []url.Values
	erased []admin.Erasure
	masked bool
}

func (m *rememberer) event() admin.HistoryEvent {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e := admin.HistoryEvent{
		ID: "7", Type: "email.bounced", Endpoint: "mail/ee", Provider: "EmailEngine", ProviderEvent: "messageBounce", AcceptedAt: at, Time: at, State: "DeadLetter",
		Recipient: "ada@example.com", MessageID: "m@example.com", SMTPCode: 550, EnhancedCode: "5.1.1", Reason: "no such user", Sinks: []string{"mail/crm"},
		Attempts: []admin.Attempt{{Sink: "mail/crm", Time: at, Milliseconds: 12, Outcome: "DeadLetter", Answer: "destination answered 400"}}, Payload: `{"id":"7"}`,
	}
	if m.masked {
		e.Mask()
	}
	return e
}

func (m *rememberer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out any
	switch r.URL.Path {
	case admin.PathHistory:
		query := r.URL.Query()
		m.asked = append(m.asked, query)
		page := admin.HistoryPage{Events: []admin.HistoryEvent{}}
		if query.Get(admin.QueryMessage) != "ada@example.com" && query.Get(admin.QueryID) != "8" && query.Get(admin.QueryForward) == "" {
			page.Events = append(page.Events, m.event())
		}
		out = page
	case admin.PathErase:
		var e admin.Erasure
		if err := json.UnmarshalRead(r.Body, &e); err != nil {
			panic(err)
		}
		m.erased = append(m.erased, e)
		out = admin.Erased{Events: 3, DeadLetters: 1}
	default:
		http.NotFound(w, r)
		return
	}
	if err := json.MarshalWrite(w, out); err != nil {
		panic(err)
	}
}

// call runs a command against an admin API, with what is typed.
func call(t *testing.T, h http.Handler, typed string, arguments ...string) (string, error) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	var out bytes.Buffer
	root := newRoot(io.Discard)
	root.SetArgs(append(arguments, "--admin", strings.TrimPrefix(server.URL, "http://")))
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetIn(strings.NewReader(typed))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestEventsAsksForWhatWasTyped(t *testing.T) {
	t.Parallel()
	m := &rememberer{}
	out, err := call(t, m, "", "events", "--recipient", "ada@example.com", "--message", "<m@example.com>", "--type", "dev.mailvane.email.bounced.v1", "--endpoint", "mail/ee",
		"--sink", "mail/crm", "--state", "DeadLetter,Waiting", "--code", "550", "--since", "2026-01-02T04:04:05+01:00", "--limit", "5")
	want := url.Values{
		"recipient": {"ada@example.com"}, "message": {"m@example.com"}, "type": {"email.bounced"}, "endpoint": {"mail/ee"}, "sink": {"mail/crm"},
		"state": {"DeadLetter", "Waiting"}, "code": {"550"}, "since": {"2026-01-02T03:04:05Z"}, "limit": {"5"},
	}
	if diff := cmp.Diff([]url.Values{want}, m.asked); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, part := range []string{"2026-01-02T03:04:05Z", "email.bounced", "DeadLetter", "ada@example.com", "m@example.com", "550 5.1.1", "mail/ee"} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in\n%s", part, out)
		}
	}
}

func TestEventTellsTheWholeStory(t *testing.T) {
	t.Parallel()
	m := &rememberer{}
	out, err := call(t, m, "", "event", "7")
	for _, part := range []string{"STATE      DeadLetter", "SINKS      mail/crm", "REASON     no such user", "12ms", "destination answered 400", `{"id":"7"}`} {
		if !strings.Contains(out, part) || err != nil {
			t.Errorf("%v: no %q in\n%s", err, part, out)
		}
	}
	m.masked = true
	if out, err := call(t, m, "", "event", "7"); err != nil || strings.Contains(out, "ada@") || !strings.Contains(out, "mailvane-privacy") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := call(t, m, "", "event", "7", "--raw"); err == nil || !strings.Contains(err.Error(), "mailvane-privacy") {
		t.Errorf("%v", err)
	}
	if _, err := call(t, m, "", "event", "8"); err == nil || !strings.Contains(err.Error(), "no history has an event 8") {
		t.Errorf("%v", err)
	}
}

// TestTimeline asks for a message first, and for a recipient when there is none.
func TestTimeline(t *testing.T) {
	t.Parallel()
	m := &rememberer{}
	out, err := call(t, m, "", "timeline", "ada@example.com")
	if err != nil || len(m.asked) != 2 || m.asked[0].Get(admin.QueryMessage) == "" || m.asked[1].Get(admin.QueryRecipient) != "ada@example.com" {
		t.Errorf("%v: asked %v", err, m.asked)
	}
	if event, told := strings.Index(out, "email.bounced"), strings.Index(out, "destination answered 400"); event < 0 || told < event {
		t.Errorf("%s", out)
	}
	if out, err := call(t, m, "", "timeline", "<m@example.com>"); err != nil || !slices.Equal(m.asked[2]["message"], []string{"m@example.com"}) || !strings.Contains(out, "email.bounced") {
		t.Errorf("%v %v", err, m.asked[2])
	}
}

// TestEraseAsks erases nothing before a person has said yes to what there is.
func TestEraseAsks(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"yes\n": "ask do", "y\n": "ask", "": "ask", "no\n": "ask", "--yes": "do"} {
		m := &rememberer{}
		arguments := []string{"erase", "--recipient", "ada@example.com"}
		if typed == "--yes" {
			arguments = append(arguments, typed)
		}
		out, err := call(t, m, typed, arguments...)
		var did []string
		for _, e := range m.erased {
			did = append(did, map[bool]string{true: "ask", false: "do"}[e.CountAlone])
		}
		if got := strings.Join(did, " "); got != want || (err == nil) != strings.Contains(want, "do") {
			t.Errorf("%q: %s, %v", typed, got, err)
		}
		if strings.Contains(want, "ask") && !strings.Contains(out, "3 events and 1 dead letters name the recipient") {
			t.Errorf("%q: %s", typed, out)
		}
	}
}
