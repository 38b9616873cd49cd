// Package exposure makes endpoints reachable from outside of the cluster, by an Ingress or an HTTPRoute for each, and reports whether they are.
package exposure

import (
	"context"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
)

// URLIndex is the field index of endpoints by the host and the path that they are exposed at.
const URLIndex = "exposureURL"

// At returns the host and the path that an endpoint is exposed at; empty when it is not exposed.
func At(e *v1alpha1.WebhookEndpoint) string {
	if e.Spec.Exposure == nil {
		return ""
	}
	return e.Spec.Exposure.Host + e.Path()
}

// Applier writes Ingresses and HTTPRoutes, as package apply does.
type Applier interface {
	Apply(ctx context.Context, configuration runtime.ApplyConfiguration, cached *metav1.PartialObjectMetadata) error
	Delete(ctx context.Context, o *metav1.PartialObjectMetadata) error
	SharedApplier
}

// SharedApplier writes objects to which others add.
type SharedApplier interface {
	IsApplied(configuration runtime.ApplyConfiguration, cached *metav1.PartialObjectMetadata, same bool) (bool, error)
	ApplyAs(ctx context.Context, own, whole runtime.ApplyConfiguration, current *metav1.PartialObjectMetadata) error
}

// HTTPRoutes reads the HTTPRoutes of a cluster, which need not know that kind.
type HTTPRoutes interface {
	// Available reports whether the cluster knows HTTPRoutes, as of some time ago at most.
	Available(ctx context.Context, maxAge time.Duration) (bool, error)
	// List returns the HTTPRoutes of endpoints in a namespace.
	List(ctx context.Context, namespace string) ([]unstructured.Unstructured, error)
}

// Phase exposes the endpoints of one namespace at a time.
type Phase struct {
	// Cache reads endpoints and Ingresses from the cache, which has the [URLIndex].
	Cache client.Reader
	// Live reads Ingresses from the API server, with what others have just added.
	Live client.Reader
	// Applier writes.
	Applier Applier
	// Routes reads HTTPRoutes; nil = the cluster knows none.
	Routes HTTPRoutes
	// Claims remembers which namespace has a host and path.
	Claims *Claims
	// Limits say what endpoints may ask for.
	Limits limits.Limits
}

// Objects are the Ingresses and HTTPRoutes of endpoints in a namespace, by name, as the cache has them.
type Objects struct {
	ingresses map[string]*networkingv1.Ingress
	routes    map[string]*unstructured.Unstructured
	// installed is whether the cluster knows HTTPRoutes.
	installed bool
}

// Endpoint is an endpoint, and what other phases found of it.
type Endpoint struct {
	*v1alpha1.WebhookEndpoint
	// Serving is the name of the receiver that requests are to be sent to.
	Serving string
	// PathConflict is set when the path belongs to another endpoint of that receiver.
	PathConflict condition.Finding
}

// Input is what one pass works on.
type Input struct {
	// Endpoints are all endpoints of the namespace.
	Endpoints []Endpoint
	// Objects are those of [Phase.Read].
	Objects Objects
	// Now is the time.
	Now time.Time
}

// Result is what one pass found.
type Result struct {
	// Findings say, by the name of the endpoint, whether it is reached from outside. Only those that ask for it have one.
	Findings map[string]condition.Finding
	// After is when to look again; 0 = when something changes.
	After time.Duration
}

// lookAgain asks for another pass after a time, or sooner.
func (r *Result) lookAgain(after time.Duration) { r.After = requeue.Sooner(r.After, after) }

// IsConflict reports whether the host and path are not the endpoint's: requests would reach another one, or belong to another namespace.
func IsConflict(f condition.Finding) bool {
	switch f.Reason {
	case v1alpha1.ReasonHostConflict, v1alpha1.ReasonHostReserved, v1alpha1.ReasonHostNotAllowed, v1alpha1.ReasonPathConflict:
		return true
	default:
		return false
	}
}
