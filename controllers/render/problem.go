package render

import "fmt"

// Problem is one reason why an object cannot work.
type Problem struct {
	// Object is what has the problem.
	Object Object
	// Field is the path of the field, such as "spec.routes[0].filter".
	Field string
	// Reason is the reason of the condition, one of the Reason constants of the API.
	Reason string
	// Message says for people what is wrong and what to do. It is the same each time and holds no credential.
	Message string
	// Related is the sink or the Secret that the problem lies in; zero when it lies in Object itself.
	Related Object
}

// String returns the problem on one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s: %s: %s", p.Object, p.Field, p.Message)
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
