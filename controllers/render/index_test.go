package render_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/receiver/config"
)

// TestPart takes parts of a configuration whose sinks lead to each other, some in a circle.
func TestPart(t *testing.T) {
	t.Parallel()
	sink := func(name, dead string) config.Sink {
		return config.Sink{Name: name, Delivery: config.Delivery{DeadLetterSink: dead}}
	}
	endpoint := func(name string, sinks ...string) config.Endpoint {
		e := config.Endpoint{Name: name, Path: "/" + name}
		for _, s := range sinks {
			e.Routes = append(e.Routes, config.Route{Name: s, Sink: s})
		}
		return e
	}
	loser, second := config.Endpoint{Name: "a0", Path: "/a", State: config.Unavailable}, endpoint("a1")
	second.Path = "/a"
	x := render.NewIndex(&config.Config{
		Version:   config.Version,
		Endpoints: []config.Endpoint{endpoint("a", "crm", "log"), endpoint("b", "loop"), endpoint("c"), loser, second},
		Sinks:     []config.Sink{sink("crm", "dead"), sink("dead", "deader"), sink("deader", ""), sink("log", ""), sink("loop", "pool"), sink("pool", "loop")},
	})
	cases := map[string]struct {
		endpoints, sinks         []string
		wantEndpoints, wantSinks []string
	}{
		"its sinks and where their dead letters go": {[]string{"a"}, nil, []string{"a"}, []string{"crm", "dead", "deader", "log"}},
		"sinks in a circle":                         {[]string{"b"}, nil, []string{"b"}, []string{"loop", "pool"}},
		"sinks that no route leads to":              {[]string{"c"}, []string{"crm", "gone"}, []string{"c"}, []string{"crm", "dead", "deader"}},
		"in order":                                  {[]string{"c", "gone", "a"}, x.Sinks(), []string{"a", "c"}, []string{"crm", "dead", "deader", "log", "loop", "pool"}},
		"a path that belongs to another":            {[]string{"a0", "a"}, nil, []string{"a"}, []string{"crm", "dead", "deader", "log"}},
		"a path that is free":                       {[]string{"a0"}, nil, []string{"a0"}, nil},
		"a path of two":                             {[]string{"a1", "a0", "a"}, nil, []string{"a"}, []string{"crm", "dead", "deader", "log"}},
		"nothing":                                   {nil, nil, nil, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part := x.Part(tc.endpoints, tc.sinks)
			var endpoints, sinks []string
			for i := range part.Endpoints {
				endpoints = append(endpoints, part.Endpoints[i].Name)
			}
			for i := range part.Sinks {
				sinks = append(sinks, part.Sinks[i].Name)
			}
			if diff := cmp.Diff([][]string{tc.wantEndpoints, tc.wantSinks}, [][]string{endpoints, sinks}); diff != "" || part.Version != config.Version {
				t.Errorf("version %s (-want +got):\n%s", part.Version, diff)
			}
		})
	}
}
