package render

import (
	"maps"
	"slices"

	"github.com/mailvane/mailvane/receiver/config"
)

// Index finds the parts of the configuration of one namespace.
type Index struct {
	version   string
	endpoints map[string]*config.Endpoint
	sinks     map[string]*config.Sink
}

// NewIndex returns the Index of a configuration, which must not change afterwards.
func NewIndex(c *config.Config) *Index {
	x := &Index{version: c.Version, endpoints: map[string]*config.Endpoint{}, sinks: map[string]*config.Sink{}}
	for i := range c.Endpoints {
		x.endpoints[c.Endpoints[i].Name] = &c.Endpoints[i]
	}
	for i := range c.Sinks {
		x.sinks[c.Sinks[i].Name] = &c.Sinks[i]
	}
	return x
}

// Sinks returns the names of all sinks.
func (x *Index) Sinks() []string { return slices.Sorted(maps.Keys(x.sinks)) }

// Part returns a configuration with the named endpoints, the named sinks, and the sinks that those lead to. What does not exist
// is left out, and so is an endpoint at whose path another one is. Everything is sorted by name.
func (x *Index) Part(endpoints, sinks []string) config.Config {
	part := config.Config{Version: x.version}
	wanted := map[string]bool{}
	for _, name := range sinks {
		x.reach(wanted, name)
	}
	endpoints = slices.Sorted(slices.Values(endpoints))
	owners := x.pathOwners(endpoints)
	for _, name := range endpoints {
		e := x.endpoints[name]
		if e == nil || owners[e.Path] != e {
			continue
		}
		part.Endpoints = append(part.Endpoints, *e)
		for _, route := range e.Routes {
			x.reach(wanted, route.Sink)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		part.Sinks = append(part.Sinks, *x.sinks[name])
	}
	return part
}

// pathOwners returns the endpoint of each path: of several, the first one that is not unavailable.
func (x *Index) pathOwners(endpoints []string) map[string]*config.Endpoint {
	owners := map[string]*config.Endpoint{}
	for _, name := range endpoints {
		e := x.endpoints[name]
		if e == nil {
			continue
		}
		if owner := owners[e.Path]; owner == nil || (owner.State == config.Unavailable && e.State != config.Unavailable) {
			owners[e.Path] = e
		}
	}
	return owners
}

// reach notes a sink and, one after the other, those that dead letters go to.
func (x *Index) reach(wanted map[string]bool, name string) {
	for name != "" && !wanted[name] {
		sink := x.sinks[name]
		if sink == nil {
			return
		}
		wanted[name] = true
		name = sink.Delivery.DeadLetterSink
	}
}
