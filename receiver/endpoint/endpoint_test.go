package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/route"
)

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// lines stands for a provider: each line of a body is an event of its own, "bad" cannot be read and "foreign" is not for the endpoint.
type lines struct{ signs bool }

func (l lines) Authenticates() bool { return l.signs }

func (lines) Verify(context.Context, *provider.Request) (provider.Proof, error) {
	return provider.Proof{}, nil
}

func (lines) Decode(r *provider.Request) provider.Batch {
	var b provider.Batch
	for text := range strings.SplitSeq(string(r.Body), "\n") {
		switch text {
		case "bad":
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: []byte(text), Reason: "it is bad"})
		case "foreign":
			b.Refused++
		default:
			b.Events = append(b.Events, event.Event{
				ID: event.HashID(text), Type: event.Bounced, Provider: "Lines", Time: now(), Recipient: text + "@example.com", Reason: r.Header.Get("X-Reason"), Raw: []byte(`"` + text + `"`),
			})
		}
	}
	return b
}

func compiler(t *testing.T, w provider.Webhook) *endpoint.Compiler {
	t.Helper()
	filters, err := filter.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	return &endpoint.Compiler{
		Filters: filters, Metrics: metrics.New(prometheus.NewRegistry()),
		Lookup: func(name string) (provider.Kind, bool) {
			return provider.Kind{Type: "Lines", DecodeHeaders: []string{"X-Reason"}, New: func(settings []byte, _ provider.Environment) (provider.Webhook, error) {
				if string(settings) != "{}" {
					return nil, errors.New("unknown member")
				}
				return w, nil
			}}, name == "Lines"
		},
	}
}

func spec(change func(*config.Endpoint)) config.Endpoint {
	e := config.Endpoint{
		Namespace: "mail", Name: "a", Path: "/hooks/a", Provider: config.Plugin{Type: "Lines"}, Verification: config.Enforce, State: config.Active, MaxBodyBytes: 1000,
		Routes: []config.Route{{Name: "all", Sink: "crm", Filter: `event.recipient != "nobody@example.com"`}},
	}
	if change != nil {
		change(&e)
	}
	return e
}

func compile(t *testing.T, w provider.Webhook, specs ...config.Endpoint) *endpoint.Table {
	t.Helper()
	table, err := compiler(t, w).Compile(&config.Config{Version: config.Version, Endpoints: specs})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func only(t *testing.T, table *endpoint.Table) *endpoint.Endpoint {
	t.Helper()
	for e := range table.All() {
		return e
	}
	t.Fatal("no endpoint")
	return nil
}

func TestLookup(t *testing.T) {
	t.Parallel()
	token := func(e *config.Endpoint) {
		e.Name, e.Path, e.Authentication.PathToken.Secrets = "b", "/hooks/b", []string{"a-token-of-16-bytes"}
	}
	table := compile(t, lines{signs: true}, spec(nil), spec(token))
	for path, want := range map[string]string{
		"/hooks/a": "mail/a ", "/hooks/a/": "mail/a ", "/hooks/b": "mail/b ", "/hooks/b/x": "mail/b x", "/hooks/b/x/": "mail/b x",
		"/hooks/a/x": "", "/hooks/b/x/y": "", "/hooks": "", "/": "", "": "", "/hooks/a//": "", "hooks/a": "", "/HOOKS/a": "",
	} {
		e, token := table.Lookup(path)
		got := ""
		if e != nil {
			got = e.Name() + " " + token
		}
		if got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		webhook lines
		change  func(*config.Endpoint)
		say     string
	}{
		"nothing is checked":       {lines{}, nil, "another factor is needed"},
		"an unknown provider":      {lines{true}, func(e *config.Endpoint) { e.Provider.Type = "Other" }, `unknown provider "Other"`},
		"settings that it refuses": {lines{true}, func(e *config.Endpoint) { e.Provider.Settings = []byte(`{"a":1}`) }, "unknown member"},
		"a path without a slash":   {lines{true}, func(e *config.Endpoint) { e.Path = "hooks" }, "must begin with a slash"},
		"no bound of the body":     {lines{true}, func(e *config.Endpoint) { e.MaxBodyBytes = 0 }, "must be positive"},
		"a filter that is none":    {lines{true}, func(e *config.Endpoint) { e.Routes[0].Filter = "event." }, "does not compile"},
		"an empty token":           {lines{true}, func(e *config.Endpoint) { e.Authentication.PathToken.Secrets = []string{" "} }, "empty secret"},
		"a header without a name":  {lines{true}, func(e *config.Endpoint) { e.Authentication.Header.Secrets = []string{"x"} }, "takes both"},
		"an issuer that is none":   {lines{true}, func(e *config.Endpoint) { e.Authentication.OIDC = config.OIDC{Issuer: "x", Audiences: []string{"a"}} }, "issuer"},
		"no audience":              {lines{true}, func(e *config.Endpoint) { e.Authentication.OIDC.Issuer = "https://issuer.example.com" }, "audiences"},
	} {
		_, err := compiler(t, c.webhook).Compile(&config.Config{Endpoints: []config.Endpoint{spec(c.change)}})
		if err == nil || !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Error(), "mail/a") {
			t.Errorf("%s: %v, want %q of mail/a", name, err, c.say)
		}
	}
	for name, second := range map[string]func(*config.Endpoint){"path": func(e *config.Endpoint) { e.Name = "b" }, "name": func(e *config.Endpoint) { e.Path = "/b" }} {
		if _, err := compiler(t, lines{true}).Compile(&config.Config{Endpoints: []config.Endpoint{spec(nil), spec(second)}}); err == nil {
			t.Errorf("two endpoints of one %s", name)
		}
	}
}

// build returns what a body becomes.
func build(t *testing.T, e *endpoint.Endpoint, body string, unverified bool) (endpoint.Builder, provider.Batch, []string) {
	t.Helper()
	r := &provider.Request{Header: http.Header{"X-Reason": {"because"}, "X-Other": {"secret"}}, Body: []byte(body), ReceivedAt: now()}
	decoded := e.Decode(r)
	var failed []string
	b := e.Build(r, &decoded, unverified, &endpoint.Arena{}, func(f *route.Failure) { failed = append(failed, f.Route) })
	return b, decoded, failed
}

func TestBuild(t *testing.T) {
	t.Parallel()
	e := only(t, compile(t, lines{true}, spec(nil)))
	b, decoded, _ := build(t, e, "one\nbad\nforeign\nnobody\none", false)
	if len(b.Batch.Entries) != 3 || len(b.Batch.DeadLetters) != 1 || decoded.Refused != 1 || b.Batch.Endpoint != "mail/a" {
		t.Fatalf("%+v", b.Batch)
	}
	routed, unrouted := b.Batch.Entries[0], b.Batch.Entries[1]
	if fmt.Sprint(routed.Sinks) != "[mail/crm]" || len(routed.Payload) == 0 || !routed.AcceptedAt.Equal(now()) {
		t.Errorf("routed: %+v", routed)
	}
	if len(unrouted.Sinks) != 0 || unrouted.Payload != nil {
		t.Errorf("what no route takes is kept as more than its key: %+v", unrouted)
	}
	if routed.DedupeKeys[0] == unrouted.DedupeKeys[0] || routed.DedupeKeys[0] != b.Batch.Entries[2].DedupeKeys[0] {
		t.Error("two events have one key, or one has two")
	}
	if keys := endpoint.StoredKeys(routed.Payload); len(keys) != 1 || keys[0] != routed.DedupeKeys[0] {
		t.Errorf("stored as %q, kept as %q", keys, routed.DedupeKeys)
	}
	letter := b.Batch.DeadLetters[0]
	if string(letter.Payload) != "bad" || letter.Reason != "it is bad" || fmt.Sprint(letter.Header) != "map[X-Reason:because]" {
		t.Errorf("dead letter: %+v", letter)
	}
	if keys := endpoint.StoredKeys([]byte("no event")); keys != nil {
		t.Errorf("nonsense has keys %q", keys)
	}
}

// TestWhatIsNotVerified checks that strangers take no space: only what a sink asks for is stored.
func TestWhatIsNotVerified(t *testing.T) {
	t.Parallel()
	asks := func(e *config.Endpoint) {
		e.Routes[0].Filter = `event.unverified && event.recipient == "one@example.com"`
	}
	e := only(t, compile(t, lines{true}, spec(asks)))
	b, _, failed := build(t, e, "one\nbad\ntwo", true)
	if len(b.Batch.Entries) != 1 || len(b.Batch.DeadLetters) != 0 || !b.Batch.Unverified || failed != nil {
		t.Errorf("%+v, %v", b.Batch, failed)
	}
	verified, _, _ := build(t, e, "one", false)
	if verified.Batch.Entries[0].DedupeKeys[0] == b.Batch.Entries[0].DedupeKeys[0] {
		t.Error("what is not verified takes the place of what is")
	}
	if nothing, _, _ := build(t, e, "bad", true); !nothing.IsEmpty() {
		t.Errorf("%+v", nothing.Batch)
	}
}

func TestFilterFailures(t *testing.T) {
	t.Parallel()
	fails := func(e *config.Endpoint) {
		e.Routes[0].Filter = `timestamp(event.reason) > timestamp("2026-01-01T00:00:00Z")`
	}
	table := compile(t, lines{true}, spec(fails))
	e := only(t, table)
	b, _, failed := build(t, e, "one\ntwo", false)
	if len(b.Batch.Entries) != 0 && len(b.Batch.Entries[0].Sinks) != 0 || len(b.Batch.DeadLetters) != 2 || fmt.Sprint(failed) != "[all all]" {
		t.Fatalf("%+v, %v", b.Batch, failed)
	}
	if b.Batch.DeadLetters[0].DedupeKey == b.Batch.DeadLetters[1].DedupeKey {
		t.Error("two dead letters have one key")
	}
	failure := &route.Failure{Route: "all", InFilter: true, Err: errors.New(filter.Evaluates + "oops")}
	if first, second := e.NoteFailure(failure, now()), e.NoteFailure(failure, now()); first == "" || second != "" {
		t.Errorf("logged %q and %q", first, second)
	}
	if problems := table.Problems(now()); len(problems) != 1 || problems[0].Count != 2 || problems[0].Endpoint != "mail/a" {
		t.Errorf("%+v", problems)
	}
	again, other := compile(t, lines{true}, spec(fails)), compile(t, lines{true}, spec(nil))
	again.Inherit(table)
	other.Inherit(table)
	if len(again.Problems(now())) != 1 || len(other.Problems(now())) != 0 {
		t.Error("problems outlive their configuration, or do not outlive a reload")
	}
	if len(table.Problems(now().Add(25*time.Hour))) != 0 {
		t.Error("a problem of yesterday is told")
	}
}

func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	e := only(t, compile(t, lines{true}, spec(nil)))
	for _, begins := range []string{"\x1f\x8b\x08", "x\x9c", "\x28\xb5\x2f\xfd"} {
		if b := e.Decode(&provider.Request{Body: []byte(begins)}); len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, "compress") {
			t.Errorf("%q: %+v", begins, b)
		}
	}
}

func TestRequeue(t *testing.T) {
	t.Parallel()
	table := compile(t, lines{true}, spec(nil))
	envelope, err := event.Encode(&event.Event{ID: "x", Type: event.Bounced, Provider: "Lines", Time: now(), Recipient: "one@example.com"}, "/mailvane/mail/a")
	if err != nil {
		t.Fatal(err)
	}
	undecodable := func(payload string) *journal.DeadLetter {
		return &journal.DeadLetter{ID: 7, Cause: journal.CauseUndecodable, Endpoint: "mail/a", Payload: []byte(payload), Header: map[string]string{"X-Reason": "because"}, At: now()}
	}
	for name, c := range map[string]struct {
		letter  *journal.DeadLetter
		entries int
		err     string
	}{
		"decoded":              {undecodable("one\ntwo"), 2, ""},
		"still not decoded":    {undecodable("bad"), 0, "it is bad"},
		"for another endpoint": {undecodable("foreign"), 0, "not meant for"},
		"some are for another": {undecodable("one\nforeign"), 1, ""},
		"a filter":             {&journal.DeadLetter{ID: 7, Cause: journal.CauseFilterFailed, Endpoint: "mail/a", Route: "all", Payload: envelope}, 1, ""},
		"a route that is gone": {&journal.DeadLetter{ID: 7, Cause: journal.CauseFilterFailed, Endpoint: "mail/a", Route: "gone", Payload: envelope}, 0, ""},
		"no event":             {&journal.DeadLetter{ID: 7, Cause: journal.CauseFilterFailed, Endpoint: "mail/a", Route: "all", Payload: []byte("x")}, 0, "read the event"},
		"refused by its sink":  {&journal.DeadLetter{ID: 7, Cause: journal.CauseRefused, Endpoint: "gone", Sink: "mail/crm", Payload: envelope}, 1, ""},
		"its endpoint is gone": {&journal.DeadLetter{ID: 7, Cause: journal.CauseUndecodable, Endpoint: "gone"}, 0, endpoint.ErrNoEndpoint.Error()},
		"another cause":        {&journal.DeadLetter{ID: 7, Cause: "other", Endpoint: "mail/a"}, 0, "cannot be retried"},
	} {
		b, err := table.Requeue(c.letter, now().Add(time.Hour))
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
			continue
		}
		if err != nil {
			continue
		}
		if len(b.Entries) != c.entries || fmt.Sprint(b.Resolves) != "[7]" {
			t.Errorf("%s: %+v", name, b)
		}
		for _, entry := range b.Entries {
			if !entry.AcceptedAt.Equal(now().Add(time.Hour)) {
				t.Errorf("%s: its age does not begin anew", name)
			}
		}
	}
}
