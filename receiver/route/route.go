// Package route decides, when an event arrives, which sinks it is owed to.
package route

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
)

// Table holds the compiled routes of one endpoint. It is safe for concurrent use.
type Table struct {
	routes []compiled
}

type compiled struct {
	name    string
	sink    string
	filter  *filter.Filter // nil selects every event but tests and unverified ones
	problem error          // why the route cannot work; nil = it can
}

// Decision says where one event goes.
type Decision struct {
	// Sinks are the distinct sinks that the event is owed to, in the order of the routes.
	Sinks []string
	// Failures are the routes whose filter failed at run time, and those that cannot work and would have taken the event.
	Failures []Failure
}

// Failure is a filter that failed at run time, or a route that cannot work.
type Failure struct {
	// Route and Sink name the route and the sink it leads to.
	Route, Sink string
	// Err says how the filter failed, or why the route cannot work.
	Err error
	// InFilter says that it is the filter that failed: at another event it may not.
	InFilter bool
}

// Compile compiles the routes; a filter that does not compile is an error, whatever the route's problem. sinkName turns a route's sink into the name that Decision uses.
func Compile(c *filter.Compiler, routes []config.Route, sinkName func(string) string) (*Table, error) {
	t := &Table{routes: make([]compiled, 0, len(routes))}
	for _, r := range routes {
		entry := compiled{name: r.Name, sink: sinkName(r.Sink)}
		if r.Filter != "" {
			f, err := c.Compile(r.Filter)
			if err != nil {
				return nil, fmt.Errorf("route %q: filter %w", r.Name, err)
			}
			entry.filter = f
		}
		if r.Problem != "" {
			entry.problem = errors.New(r.Problem)
		}
		t.routes = append(t.routes, entry)
	}
	return t, nil
}

// Decide evaluates every route on e.
func (t *Table) Decide(e *event.Event) Decision {
	return t.decide(e, func(*compiled) bool { return true })
}

// DecideRoute evaluates only the route with the given name; a name that is gone selects nothing.
func (t *Table) DecideRoute(e *event.Event, name string) Decision {
	return t.decide(e, func(r *compiled) bool { return r.name == name })
}

func (t *Table) decide(e *event.Event, considered func(*compiled) bool) Decision {
	var d Decision
	for i := range t.routes {
		r := &t.routes[i]
		if !considered(r) {
			continue
		}
		selected, err := r.selects(e)
		switch {
		case err != nil:
			d.Failures = append(d.Failures, Failure{Route: r.name, Sink: r.sink, Err: err, InFilter: r.problem == nil || err != r.problem}) //nolint:errorlint // the same error, and no other with its text
		case selected:
			d.add(r.sink, len(t.routes)-i)
		}
	}
	return d
}

// selects reports whether the route takes e. An event that was not verified is only for a filter that asks for such. A route that cannot
// work takes nothing: what it would take is an error, and so is every event when it has no filter, since it may have lost it.
func (r *compiled) selects(e *event.Event) (bool, error) {
	if e.Unverified && (r.filter == nil || !r.filter.AsksForUnverified()) {
		return false, nil
	}
	if r.filter == nil {
		return e.Type != event.Test, r.problem
	}
	selected, err := r.filter.Match(e)
	if err == nil && selected {
		err = r.problem
	}
	return selected, err
}

// maxRoom bounds for how many sinks room is made at first.
const maxRoom = 4

// add adds a sink, the first of at most so many.
func (d *Decision) add(sink string, atMost int) {
	if d.Sinks == nil {
		d.Sinks = make([]string, 0, min(atMost, maxRoom))
	}
	if !slices.Contains(d.Sinks, sink) {
		d.Sinks = append(d.Sinks, sink)
	}
}
