package manifest

import (
	"fmt"
	"slices"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/receiver/config"
)

// Set is what a folder holds. The objects carry the API's defaults.
type Set struct {
	// Endpoints and Sinks are in the order in which they were read.
	Endpoints []v1alpha1.WebhookEndpoint
	Sinks     []v1alpha1.EventSink

	secrets map[render.Object]map[string][]byte
	types   map[render.Object]string // of the Secrets that say one
	places  map[render.Object]place
}

// place is where an object was read.
type place struct {
	document *document
	// faulty says that the object has problems, and broken that it is not part of the set because of them.
	faulty, broken bool
}

func newSet() *Set {
	return &Set{secrets: map[render.Object]map[string][]byte{}, types: map[render.Object]string{}, places: map[render.Object]place{}}
}

// Secret returns the data of a Secret of the set, and whether there is one.
func (s *Set) Secret(namespace, name string) (data map[string][]byte, found bool) {
	data, found = s.secrets[render.Object{Kind: secretKind, Namespace: namespace, Name: name}]
	return data, found
}

func (s *Set) secretType(namespace, name string) string {
	return s.types[render.Object{Kind: secretKind, Namespace: namespace, Name: name}]
}

// Render returns the configuration of the one receiver that serves all of the set, without what was read with a problem, and
// what is wrong between the objects.
func (s *Set) Render(checks render.Checks) (config.Config, []Problem) {
	rendered, found := render.Render(render.Input{
		Endpoints: s.Endpoints, Sinks: s.Sinks, Secret: s.Secret, SecretType: s.secretType, Checks: checks,
	})
	problems := make([]Problem, len(found))
	for i, problem := range found {
		problems[i] = s.locate(problem)
	}
	SortProblems(problems)
	rendered.Endpoints = slices.DeleteFunc(rendered.Endpoints, func(e config.Endpoint) bool {
		return s.faulty(v1alpha1.WebhookEndpointKind, e.Namespace, e.Name)
	})
	rendered.Sinks = slices.DeleteFunc(rendered.Sinks, func(k config.Sink) bool {
		return s.faulty(v1alpha1.EventSinkKind, k.Namespace, k.Name)
	})
	return rendered, problems
}

func (s *Set) faulty(kind, namespace, name string) bool {
	return s.places[render.Object{Kind: kind, Namespace: namespace, Name: name}].faulty
}

// locate says where in the files a problem is.
func (s *Set) locate(p render.Problem) Problem {
	document := s.places[p.Object].document
	problem := Problem{
		File:    document.file,
		Line:    document.lineOf(p.Field),
		Object:  p.Object.Kind + "/" + p.Object.Name,
		Field:   p.Field,
		Message: p.Message,
		Warning: p.Warning, Consequence: p.Reason == v1alpha1.ReasonSinkNotReady,
	}
	// To the renderer, an object that could not be read does not exist. Whoever wrote it knows better.
	if related := s.places[p.Related]; related.broken {
		problem.Consequence = true
		problem.Message = fmt.Sprintf("%s %q has a problem of its own (%s:%d)",
			p.Related.Kind, p.Related.Name, related.document.file, related.document.begin())
	}
	return problem
}
