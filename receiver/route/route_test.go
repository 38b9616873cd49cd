package route_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/route"
)

func compile(t *testing.T, routes ...config.Route) (*route.Table, error) {
	t.Helper()
	c, err := filter.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	return route.Compile(c, routes, func(name string) string { return "mail/" + name })
}

func TestDecide(t *testing.T) {
	t.Parallel()
	bounce := &event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: event.Hard}}
	cases := map[string]struct {
		routes  []config.Route
		event   *event.Event
		sinks   []string
		failing []string
	}{
		"a route without a filter takes everything": {[]config.Route{{Name: "all", Sink: "a"}}, bounce, []string{"mail/a"}, nil},
		"a route without a filter leaves tests out": {[]config.Route{{Name: "all", Sink: "a"}}, &event.Event{Type: event.Test}, nil, nil},
		"a filter may ask for tests":                {[]config.Route{{Name: "t", Sink: "a", Filter: `event.type == "test"`}}, &event.Event{Type: event.Test}, []string{"mail/a"}, nil},
		"unknown events flow":                       {[]config.Route{{Name: "all", Sink: "a"}}, &event.Event{Type: event.Unknown}, []string{"mail/a"}, nil},
		"every matching route counts": {[]config.Route{
			{Name: "hard", Sink: "crm", Filter: `event.bounce.type == "hard"`},
			{Name: "soft", Sink: "soft", Filter: `event.bounce.type == "soft"`},
			{Name: "all", Sink: "warehouse"},
		}, bounce, []string{"mail/crm", "mail/warehouse"}, nil},
		"two routes to one sink are one debt": {[]config.Route{{Name: "x", Sink: "a"}, {Name: "y", Sink: "a"}}, bounce, []string{"mail/a"}, nil},
		"a failing filter takes only its own route": {[]config.Route{
			{Name: "bug", Sink: "a", Filter: `{"a": 1}[event.id] == 1`}, {Name: "all", Sink: "b"},
		}, bounce, []string{"mail/b"}, []string{"bug"}},
		"no routes": {nil, bounce, nil, nil},
		"what is not verified goes where a filter asks for it": {[]config.Route{
			{Name: "all", Sink: "a"},
			{Name: "bounces", Sink: "b", Filter: `event.type == "email.bounced"`},
			{Name: "no sink", Sink: "c", Problem: "no sink"},
			{Name: "fails", Sink: "d", Filter: `{"a": 1}[event.id] == 1`},
			{Name: "asks", Sink: "e", Filter: `event.unverified`},
			{Name: "asks in part", Sink: "f", Filter: `event.type == "email.bounced" && [event].exists(e, event.unverified)`},
			{Name: "refuses", Sink: "g", Filter: `!event.unverified`},
			{Name: "another's member", Sink: "h", Filter: `{"unverified": true}.unverified`},
		}, &event.Event{Type: event.Bounced, Unverified: true}, []string{"mail/e", "mail/f"}, nil},
		"what is verified goes where it is not refused": {[]config.Route{
			{Name: "asks", Sink: "e", Filter: `event.unverified`}, {Name: "refuses", Sink: "g", Filter: `!event.unverified`},
		}, bounce, []string{"mail/g"}, nil},
		"a route that cannot work takes only itself": {[]config.Route{
			{Name: "broken", Sink: "a", Problem: "filter: does not compile"}, {Name: "all", Sink: "b"},
		}, bounce, []string{"mail/b"}, []string{"broken"}},
		"a route without a filter that cannot work fails for tests, too": {[]config.Route{
			{Name: "broken", Sink: "a", Problem: "filter: does not compile"},
		}, &event.Event{Type: event.Test}, nil, []string{"broken"}},
		"a route that cannot work fails for what its filter selects": {[]config.Route{
			{Name: "hard", Sink: "gone", Filter: `event.bounce.type == "hard"`, Problem: "no sink"},
			{Name: "soft", Sink: "gone", Filter: `event.bounce.type == "soft"`, Problem: "no sink"},
		}, bounce, nil, []string{"hard"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := compile(t, tc.routes...)
			if err != nil {
				t.Fatal(err)
			}
			got := table.Decide(tc.event)
			if diff := cmp.Diff(tc.sinks, got.Sinks); diff != "" {
				t.Errorf("sinks (-want +got):\n%s", diff)
			}
			var failing []string
			for _, f := range got.Failures {
				failing = append(failing, f.Route)
			}
			if diff := cmp.Diff(tc.failing, failing); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecideRouteConsidersOnlyThatRoute(t *testing.T) {
	t.Parallel()
	table, err := compile(t, config.Route{Name: "x", Sink: "a"}, config.Route{Name: "y", Sink: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if got := table.DecideRoute(&event.Event{Type: event.Opened}, "y").Sinks; !cmp.Equal(got, []string{"mail/b"}) {
		t.Errorf("route y leads to %v", got)
	}
	if got := table.DecideRoute(&event.Event{Type: event.Opened}, "gone").Sinks; got != nil {
		t.Errorf("a route that is gone leads to %v", got)
	}
}

// TestAFailureSaysWhatIsWrong expects the filter's own error where it fails, and the route's problem otherwise.
func TestAFailureSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	table, err := compile(t,
		config.Route{Name: "broken", Sink: "a", Problem: "filter: does not compile"},
		config.Route{Name: "bug", Sink: "b", Filter: `{"a": 1}[event.id] == 1`, Problem: "no sink"},
	)
	if err != nil {
		t.Fatal(err)
	}
	failures := table.Decide(&event.Event{Type: event.Opened}).Failures
	if len(failures) != 2 || failures[0].Sink != "mail/a" || failures[0].Err.Error() != "filter: does not compile" ||
		!strings.Contains(failures[1].Err.Error(), "no such key") {
		t.Errorf("%+v", failures)
	}
	if again := table.DecideRoute(&event.Event{Type: event.Opened}, "broken"); len(again.Failures) != 1 {
		t.Errorf("a retry: %+v", again)
	}
}

func TestCompileNamesTheRoute(t *testing.T) {
	t.Parallel()
	_, err := compile(t, config.Route{Name: "bounces", Sink: "a", Filter: `event.typ == "x"`})
	if err == nil || !cmp.Equal(err.Error()[:len(`route "bounces": filter does not compile`)], `route "bounces": filter does not compile`) {
		t.Fatalf("error: %v", err)
	}
}
