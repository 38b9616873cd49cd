package receiver

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// mayBeThere says why an endpoint is not exposed at its host and path: the installation does not let it, or they are another's.
func (r *Reconciler) mayBeThere(ctx context.Context, s *scope, e *v1alpha1.WebhookEndpoint) (condition.Finding, error) {
	if why := r.Limits.Where(e); why != "" {
		return condition.Finding{Reason: v1alpha1.ReasonHostNotAllowed, Message: why}, nil
	}
	if f, err := r.hostConflict(ctx, s, e); err != nil || !f.OK() {
		return f, err
	}
	if f, err := r.hostClaim(ctx, s, e); err != nil || !f.OK() {
		return f, err
	}
	if why := r.Limits.Annotations(e); why != "" {
		return condition.Finding{Reason: v1alpha1.ReasonNotAllowed, Message: why + ". What there is of the Ingress stays as it was"}, nil
	}
	return condition.Finding{}, nil
}

// hostClaim claims the host and path of an endpoint for its namespace, unless another one has had them. A path that is reserved for the namespace
// needs no claim.
func (r *Reconciler) hostClaim(ctx context.Context, s *scope, e *v1alpha1.WebhookEndpoint) (condition.Finding, error) {
	if limits.ReservedFor(e) == e.Namespace {
		return condition.Finding{}, nil
	}
	url := ExposedAt(e)
	owner, err := r.claims.hold(ctx, url, e.Namespace, s.asksFor)
	if err != nil || owner == e.Namespace {
		return condition.Finding{}, err
	}
	s.lookAgain(foreignRetry) // nobody says when it is given away
	return condition.Finding{Reason: v1alpha1.ReasonHostReserved, Message: fmt.Sprintf(
		"%s was namespace %s's. To give it away, an administrator removes key %s of ConfigMap %s in namespace %s; or choose another host or path",
		url, owner, claimKey(url), r.claims.key.Name, r.claims.key.Namespace)}, nil
}

// asksFor says whether an endpoint of the namespace is to be at a host and path.
func (s *scope) asksFor(url string) bool {
	return slices.ContainsFunc(s.endpoints, func(e v1alpha1.WebhookEndpoint) bool { return ExposedAt(&e) == url })
}

// hostConflict looks for an endpoint, in any namespace that the manager sees, that has the same host and path already: else an edit
// of an older endpoint would take them away. Where none has them, the oldest one gets them.
func (r *Reconciler) hostConflict(ctx context.Context, s *scope, e *v1alpha1.WebhookEndpoint) (condition.Finding, error) {
	var all v1alpha1.WebhookEndpointList
	if err := r.Client.List(ctx, &all, client.MatchingFields{URLIndex: ExposedAt(e)}); err != nil {
		return condition.Finding{}, fmt.Errorf("list endpoints by URL: %w", err)
	}
	others := slices.DeleteFunc(all.Items, func(o v1alpha1.WebhookEndpoint) bool { return o.UID == e.UID || !o.DeletionTimestamp.IsZero() })
	if len(others) == 0 {
		return condition.Finding{}, nil // as nearly always, without a look at the Ingresses and HTTPRoutes
	}
	claimed, err := r.claims.has(ctx, ExposedAt(e), e.Namespace)
	if err != nil {
		return condition.Finding{}, err
	}
	owner, err := r.ownerOf(ctx, s, e, others, claimed || limits.ReservedFor(e) == e.Namespace)
	if err != nil || owner == e {
		return condition.Finding{}, err
	}
	s.lookAgain(foreignRetry) // nobody says when an Ingress of another namespace has gone
	return condition.Finding{Reason: v1alpha1.ReasonHostConflict, Message: fmt.Sprintf(
		"%s already belongs to WebhookEndpoint %s/%s; choose another host or path", ExposedAt(e), owner.Namespace, owner.Name)}, nil
}

// ownerOf returns whose host and path are those of e: its own, or those of one of the others, which say that they have them. Who only waits for what
// the namespace of e has claimed does not count.
func (r *Reconciler) ownerOf(
	ctx context.Context, s *scope, e *v1alpha1.WebhookEndpoint, others []v1alpha1.WebhookEndpoint, claimed bool,
) (*v1alpha1.WebhookEndpoint, error) {
	owner := e
	has, err := r.isAt(ctx, s, e)
	if err != nil {
		return nil, err
	}
	for i := range others {
		other := &others[i]
		otherHas, err := r.isAt(ctx, s, other)
		if err != nil {
			return nil, err
		}
		if claimed && !otherHas && other.Namespace != e.Namespace {
			continue
		}
		if (otherHas && !has) || (otherHas == has && isOlder(other, owner)) {
			owner, has = other, otherHas
		}
	}
	return owner, nil
}

// isAt says whether an Ingress or HTTPRoute of an endpoint leads from its host and path already.
func (r *Reconciler) isAt(ctx context.Context, s *scope, e *v1alpha1.WebhookEndpoint) (bool, error) {
	name := children.ExposureName(e.Name)
	var ingress networkingv1.Ingress
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: e.Namespace, Name: name}, &ingress)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("read Ingress: %w", err)
	}
	if err == nil && metav1.IsControlledBy(&ingress, e) && children.IngressURL(&ingress) == ExposedAt(e) {
		return true, nil
	}
	if !s.exposures.installed {
		return false, nil
	}
	routes, err := r.routes.list(ctx, e.Namespace)
	return slices.ContainsFunc(routes, func(route unstructured.Unstructured) bool {
		return route.GetName() == name && metav1.IsControlledBy(&route, e) && routeURL(&route) == ExposedAt(e)
	}), err
}

// isOlder orders endpoints by age, and those of one age by namespace and name.
func isOlder(a, b *v1alpha1.WebhookEndpoint) bool {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name)) < 0
}
