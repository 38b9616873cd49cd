package exposure

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
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// mayBeThere returns why an endpoint must not be exposed at its host and path: the installation does not let it, or they are another's.
func (p *Phase) mayBeThere(ctx context.Context, in Input, e *v1alpha1.WebhookEndpoint, result *Result) (condition.Finding, error) {
	if why := p.Limits.Where(e); why != "" {
		return condition.Finding{Reason: v1alpha1.ReasonHostNotAllowed, Message: why}, nil
	}
	if f, err := p.hostConflict(ctx, in, e, result); err != nil || !f.OK() {
		return f, err
	}
	if f, err := p.hostClaim(ctx, in, e, result); err != nil || !f.OK() {
		return f, err
	}
	if why := p.Limits.Annotations(e); why != "" {
		return condition.Finding{Reason: v1alpha1.ReasonNotAllowed, Message: why + ". What there is of the Ingress stays as it was"}, nil
	}
	return condition.Finding{}, nil
}

// hostClaim claims the host and path of an endpoint for its namespace, unless another one has had them. A path that is reserved for the namespace
// needs no claim.
func (p *Phase) hostClaim(ctx context.Context, in Input, e *v1alpha1.WebhookEndpoint, result *Result) (condition.Finding, error) {
	if limits.ReservedFor(e) == e.Namespace {
		return condition.Finding{}, nil
	}
	url := At(e)
	owner, err := p.Claims.hold(ctx, url, e.Namespace, in.asksFor)
	if err != nil || owner == e.Namespace {
		return condition.Finding{}, err
	}
	result.lookAgain(requeue.Foreign) // no watch tells when it is given away
	return condition.Finding{Reason: v1alpha1.ReasonHostReserved, Message: fmt.Sprintf(
		"%s was namespace %s's. To give it away, an administrator removes key %s of ConfigMap %s in namespace %s; or choose another host or path",
		url, owner, claimKey(url), p.Claims.key.Name, p.Claims.key.Namespace)}, nil
}

// asksFor reports whether an endpoint of the namespace is to be at a host and path.
func (in *Input) asksFor(url string) bool {
	return slices.ContainsFunc(in.Endpoints, func(e Endpoint) bool { return At(e.WebhookEndpoint) == url })
}

// hostConflict looks for an endpoint, in any namespace that the manager sees, that has the same host and path already: else an edit
// of an older endpoint would take them away. Where none has them, the oldest one gets them.
func (p *Phase) hostConflict(ctx context.Context, in Input, e *v1alpha1.WebhookEndpoint, result *Result) (condition.Finding, error) {
	var all v1alpha1.WebhookEndpointList
	if err := p.Cache.List(ctx, &all, client.MatchingFields{URLIndex: At(e)}); err != nil {
		return condition.Finding{}, fmt.Errorf("list endpoints by URL: %w", err)
	}
	others := slices.DeleteFunc(all.Items, func(o v1alpha1.WebhookEndpoint) bool { return o.UID == e.UID || !o.DeletionTimestamp.IsZero() })
	if len(others) == 0 {
		return condition.Finding{}, nil // as nearly always, without a look at the Ingresses and HTTPRoutes
	}
	claimed, err := p.Claims.has(ctx, At(e), e.Namespace)
	if err != nil {
		return condition.Finding{}, err
	}
	owner, err := p.ownerOf(ctx, in.Objects.installed, e, others, claimed || limits.ReservedFor(e) == e.Namespace)
	if err != nil || owner == e {
		return condition.Finding{}, err
	}
	result.lookAgain(requeue.Foreign) // no watch tells when an Ingress of another namespace has gone
	return condition.Finding{Reason: v1alpha1.ReasonHostConflict, Message: fmt.Sprintf(
		"%s already belongs to WebhookEndpoint %s/%s; choose another host or path", At(e), owner.Namespace, owner.Name)}, nil
}

// ownerOf returns the endpoint that has the host and path of e: e itself, or one of the others, which ask for them too. One that only waits for
// what the namespace of e has claimed does not count.
func (p *Phase) ownerOf(
	ctx context.Context, installed bool, e *v1alpha1.WebhookEndpoint, others []v1alpha1.WebhookEndpoint, claimed bool,
) (*v1alpha1.WebhookEndpoint, error) {
	owner := e
	has, err := p.isAt(ctx, installed, e)
	if err != nil {
		return nil, err
	}
	for i := range others {
		other := &others[i]
		otherHas, err := p.isAt(ctx, installed, other)
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

// isAt reports whether an Ingress or HTTPRoute of an endpoint leads from its host and path already.
func (p *Phase) isAt(ctx context.Context, installed bool, e *v1alpha1.WebhookEndpoint) (bool, error) {
	name := children.ExposureName(e.Name)
	var ingress networkingv1.Ingress
	err := p.Cache.Get(ctx, client.ObjectKey{Namespace: e.Namespace, Name: name}, &ingress)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("read Ingress: %w", err)
	}
	if err == nil && metav1.IsControlledBy(&ingress, e) && children.IngressURL(&ingress) == At(e) {
		return true, nil
	}
	if !installed {
		return false, nil
	}
	routes, err := p.Routes.List(ctx, e.Namespace)
	return slices.ContainsFunc(routes, func(route unstructured.Unstructured) bool {
		return route.GetName() == name && metav1.IsControlledBy(&route, e) && routeURL(&route) == At(e)
	}), err
}

// isOlder orders endpoints by age, and those of one age by namespace and name.
func isOlder(a, b *v1alpha1.WebhookEndpoint) bool {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name)) < 0
}
