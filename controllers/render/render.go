// Package render turns WebhookEndpoints, EventSinks and Secrets into the configuration of one receiver.
//
// It is pure: the same objects give the same configuration and the same problems, byte for byte. The manager and the mailvane
// command share it, so a laptop says what a cluster would say.
package render

import (
	"cmp"
	"slices"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/config"
)

// Input is what a configuration is made of. Objects carry the API's defaults.
type Input struct {
	// Endpoints are the endpoints.
	Endpoints []v1alpha1.WebhookEndpoint
	// Sinks are the sinks of the endpoints' namespaces.
	Sinks []v1alpha1.EventSink
	// Secret returns the data of a Secret, and whether it exists.
	Secret func(namespace, name string) (data map[string][]byte, found bool)
	// SecretType returns the type of a Secret, such as Opaque; empty when it has none. nil = nobody knows the types.
	SecretType func(namespace, name string) string
	// Checks judge what the API's schema cannot.
	Checks Checks
	// Receiver returns the name of the receiver of an endpoint: a path belongs to one endpoint of each. nil = all have the same.
	Receiver func(*v1alpha1.WebhookEndpoint) string
	// MemoryLimit returns how many bytes of memory the pods of an endpoint's receiver may take; 0 = any. nil = nobody knows.
	MemoryLimit func(*v1alpha1.WebhookEndpoint) int64
}

// place is where requests arrive.
type place struct{ receiver, path string }

func (in *Input) place(e *v1alpha1.WebhookEndpoint) place {
	if in.Receiver == nil {
		return place{path: e.Path()}
	}
	return place{in.Receiver(e), e.Path()}
}

// Checks are the questions to the parts that will have to work with the configuration. A nil check passes.
// Their errors hold no credential.
type Checks struct {
	// Filter says why the filter of a route does not compile.
	Filter func(filter string) error
	// Provider says why a provider refuses its settings.
	Provider func(config.Plugin) error
	// Sink says why a sink refuses its settings.
	Sink func(config.Plugin) error
}

// Render returns the configuration of a receiver, or of several together, and what is wrong. A sink with a problem is left out; an
// endpoint with a problem is in the configuration as unavailable, but one whose path belongs to another only in that of several
// receivers, from which [Index.Part] takes it where its path is free. A problem of one route only is in the configuration with that
// route. The others are not affected. Everything is sorted by namespace and name.
func Render(in Input) (config.Config, []Problem) {
	endpoints := slices.Clone(in.Endpoints)
	slices.SortFunc(endpoints, func(a, b v1alpha1.WebhookEndpoint) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})

	sinks, problems := renderSinks(in)
	owners := in.pathOwners(endpoints)
	c := config.Config{Version: config.Version, Sinks: sinks.rendered()}
	for i := range endpoints {
		r := endpointRenderer{in: in, sinks: sinks, owners: owners}
		rendered := r.render(&endpoints[i])
		if in.Receiver != nil || !slices.ContainsFunc(r.problems, isPathConflict) {
			c.Endpoints = append(c.Endpoints, rendered)
		}
		problems = append(problems, r.problems...)
	}
	return c, problems
}

func isPathConflict(p Problem) bool { return p.Reason == v1alpha1.ReasonPathConflict }

// pathOwners returns the endpoint that each path belongs to: the oldest, and among those of one age the first by name.
func (in *Input) pathOwners(sorted []v1alpha1.WebhookEndpoint) map[place]*v1alpha1.WebhookEndpoint {
	owners := map[place]*v1alpha1.WebhookEndpoint{}
	for i := range sorted {
		endpoint := &sorted[i]
		where := in.place(endpoint)
		owner := owners[where]
		if owner == nil || endpoint.CreationTimestamp.Time.Before(owner.CreationTimestamp.Time) {
			owners[where] = endpoint
		}
	}
	return owners
}
