package render

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/config"
)

// endpointRenderer renders one endpoint.
type endpointRenderer struct {
	in     Input
	sinks  sinkTable
	owners map[place]*v1alpha1.WebhookEndpoint

	problems []Problem
}

func (r *endpointRenderer) render(endpoint *v1alpha1.WebhookEndpoint) config.Endpoint {
	spec := &endpoint.Spec
	s := settingsResolver{
		object: Object{Kind: v1alpha1.WebhookEndpointKind, Namespace: endpoint.Namespace, Name: endpoint.Name},
		secret: r.in.Secret, secretType: r.in.SecretType,
	}
	s.keys = s.taken(endpoint)
	rendered := config.Endpoint{
		Namespace:      endpoint.Namespace,
		Name:           endpoint.Name,
		Path:           endpoint.Path(),
		Provider:       s.plugin(string(spec.Provider.Type), spec.Provider, "spec.provider", r.in.Checks.Provider),
		Authentication: authentication(&s, spec.Authentication),
		Verification:   string(spec.Verification),
		State:          string(spec.State),
		MaxBodyBytes:   spec.MaxBodySize.Value(),
	}
	if spec.Exposure != nil && readsURL(spec.Provider.Type) {
		rendered.PublicURL = spec.Exposure.URL()
	}
	r.checkMemory(&s, endpoint)
	if owner := r.owners[r.in.place(endpoint)]; owner != endpoint {
		s.add("spec.path", v1alpha1.ReasonPathConflict, "%s already belongs to WebhookEndpoint %s/%s; choose another path",
			endpoint.Path(), owner.Namespace, owner.Name)
	}
	for i, route := range spec.Routes {
		rendered.Routes = append(rendered.Routes, r.route(&s, fmt.Sprintf("spec.routes[%d]", i), route))
	}
	r.problems = s.problems
	if slices.ContainsFunc(r.problems, OfEndpoint) {
		return unavailable(&rendered)
	}
	return rendered
}

// readsURL reports whether the receiver of an endpoint needs to know at which host it is reached.
func readsURL(provider v1alpha1.ProviderType) bool {
	return slices.ContainsFunc(catalogue.Providers(), func(p catalogue.Provider) bool { return p.Type == string(provider) && p.ReadsURL })
}

// unavailable returns what a receiver needs in order to answer 503 at the path of an endpoint, and no credential.
func unavailable(e *config.Endpoint) config.Endpoint {
	return config.Endpoint{
		Namespace: e.Namespace, Name: e.Name, Path: e.Path, Provider: config.Plugin{Type: e.Provider.Type},
		Verification: e.Verification, State: config.Unavailable,
	}
}

// route renders one route. What is wrong with it concerns no other: while its sink is missing the events wait in the receivers,
// and where its filter does not compile they become dead letters of the route.
func (r *endpointRenderer) route(s *settingsResolver, path string, route v1alpha1.Route) config.Route {
	before := len(s.problems)
	rendered := config.Route{Name: route.Name, Sink: route.SinkRef.Name, Filter: route.Filter}
	r.sinks.check(s, path+".sinkRef.name", route.SinkRef.Name)
	if route.Filter != "" && r.in.Checks.Filter != nil {
		if err := r.in.Checks.Filter(route.Filter); err != nil {
			s.add(path+".filter", v1alpha1.ReasonInvalidFilter, "%v", err)
			rendered.Filter, rendered.Problem = "", routeProblem(err)
		}
	}
	for i := range s.problems[before:] {
		s.problems[before+i].Route = route.Name
	}
	return rendered
}

// authentication resolves the factors. Their configuration is that of the API with the references replaced, so it is
// made by the same walk as the settings of providers and sinks.
func authentication(s *settingsResolver, factors v1alpha1.Authentication) config.Authentication {
	s.factors = true
	defer func() { s.factors = false }()
	var rendered config.Authentication
	if err := json.Unmarshal(s.settings(factors, "spec.authentication", nil), &rendered); err != nil {
		s.add("spec.authentication", v1alpha1.ReasonInvalidSettings, "%v", err)
	}
	return rendered
}
