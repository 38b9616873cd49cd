package render

import (
	"fmt"
	"slices"
	"strings"
)

// maxRouteProblem bounds what the configuration says of a route, in bytes, as the reason of a dead letter is bounded.
const maxRouteProblem = 1024

// Problem is one reason why an object cannot work.
type Problem struct {
	// Object is what has the problem.
	Object Object
	// Field is the path of the field, such as "spec.routes[0].filter".
	Field string
	// Reason is the reason of the condition, one of the Reason constants of the API.
	Reason string
	// Route is the name of the only route that cannot work because of it; empty = the whole object cannot.
	Route string
	// Message says for people what is wrong and what to do. It is the same each time and holds no credential.
	Message string
	// Related is the sink or the Secret that the problem lies in; zero when it lies in Object itself.
	Related Object
	// Warning says that the object works all the same.
	Warning bool
}

// Faults returns the problems that are not only warnings.
func Faults(problems []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Warning })
}

// OfRoute says whether the problem concerns one route of an endpoint and nothing else.
func OfRoute(p Problem) bool { return p.Route != "" && !p.Warning }

// OfEndpoint says whether the problem concerns all of an endpoint.
func OfEndpoint(p Problem) bool { return p.Route == "" && !p.Warning }

// String returns the problem on one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s: %s: %s", p.Object, p.Field, p.Message)
}

// routeProblem returns what a receiver says of a route whose filter does not compile.
func routeProblem(err error) string {
	text := "filter: " + err.Error()
	return strings.ToValidUTF8(text[:min(len(text), maxRouteProblem)], "")
}

// Object names an object.
type Object struct {
	// Kind is the kind, such as "WebhookEndpoint".
	Kind string
	// Namespace and Name are the object's.
	Namespace, Name string
}

// String returns kind, namespace and name with slashes between them.
func (o Object) String() string {
	return o.Kind + "/" + o.Namespace + "/" + o.Name
}
