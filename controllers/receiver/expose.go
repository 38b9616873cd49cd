package receiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/controllers/webhookendpoint"
)

// URLIndex is the field index of endpoints by the host and the path that they are exposed at.
const URLIndex = "exposureURL"

// ExposedAt returns the host and the path that an endpoint is exposed at; empty when it is not exposed.
func ExposedAt(e *v1alpha1.WebhookEndpoint) string {
	if e.Spec.Exposure == nil {
		return ""
	}
	return e.Spec.Exposure.Host + e.Path()
}

// exposures are the Ingresses and HTTPRoutes of a namespace.
type exposures struct {
	ingresses map[string]*networkingv1.Ingress
	routes    map[string]*unstructured.Unstructured
	// installed says whether the cluster knows HTTPRoutes.
	installed bool
	// findings say, by endpoint, why it is not reached from outside.
	findings map[string]condition.Finding
}

func ingressKind() schema.GroupVersionKind {
	return networkingv1.SchemeGroupVersion.WithKind("Ingress")
}

// gatherExposures reads what endpoints are exposed by.
func (r *Reconciler) gatherExposures(ctx context.Context, s *scope) error {
	s.exposures = exposures{
		ingresses: map[string]*networkingv1.Ingress{}, routes: map[string]*unstructured.Unstructured{}, findings: map[string]condition.Finding{},
	}
	var ingresses networkingv1.IngressList
	if err := r.Client.List(ctx, &ingresses, client.InNamespace(s.namespace), client.MatchingLabels(children.ExposureLabels())); err != nil {
		return fmt.Errorf("list Ingresses: %w", err)
	}
	for i := range ingresses.Items {
		s.exposures.ingresses[ingresses.Items[i].Name] = &ingresses.Items[i]
	}
	age := routesIdlePoll
	for i := range s.endpoints {
		if x := s.endpoints[i].Spec.Exposure; x != nil && x.Gateway != nil {
			age = routesPoll
			break
		}
	}
	installed, err := r.routes.available(ctx, age)
	if err != nil || !installed {
		return err
	}
	s.exposures.installed = true
	routes, err := r.routes.list(ctx, s.namespace)
	for i := range routes {
		s.exposures.routes[routes[i].GetName()] = &routes[i]
	}
	return err
}

// addressWait is how long an Ingress without an address is waited for before the HTTPRoute that it replaces goes.
const addressWait = 5 * time.Minute

// expose writes the Ingresses and HTTPRoutes, and deletes those that nobody asks for any more. Of an endpoint that changes from the one
// to the other, the former one goes when the new one works, unless it is at another URL, which nobody asks for.
func (r *Reconciler) expose(ctx context.Context, s *scope, now time.Time) error {
	var errs []error
	wanted := map[child]bool{}
	replacing := map[string]string{} // the URLs at which a new one does not work yet, by name
	for i := range s.endpoints {
		e := &s.endpoints[i]
		if e.Spec.Exposure == nil {
			continue
		}
		id := child{ingressKind().GroupKind(), children.ExposureName(e.Name)}
		if e.Spec.Exposure.Gateway != nil {
			id.kind = children.HTTPRouteKind().GroupKind()
		}
		finding, err := r.exposeOne(ctx, s, e, now)
		if err != nil && finding.OK() { // nothing is known of it
			finding, _ = s.noteExposure(e, err)
		}
		s.exposures.findings[e.Name] = finding
		wanted[id] = !conflicts(finding)
		if wanted[id] && (err != nil || !s.works(e, finding, now)) {
			replacing[id.name] = ExposedAt(e)
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, r.unexpose(ctx, s, wanted, replacing))...)
}

// unexpose deletes what is not wanted, unless it is to be replaced and still at the URL of its name.
func (r *Reconciler) unexpose(ctx context.Context, s *scope, wanted map[child]bool, replacing map[string]string) error {
	var errs []error
	for name, ingress := range s.exposures.ingresses {
		if !wanted[child{ingressKind().GroupKind(), name}] && !isOneOf(replacing, name, children.IngressURL(ingress)) {
			errs = append(errs, r.applier.Delete(ctx, metadata(ingressKind(), ingress)))
		}
	}
	for name, route := range s.exposures.routes {
		if !wanted[child{children.HTTPRouteKind().GroupKind(), name}] && !isOneOf(replacing, name, routeURL(route)) {
			errs = append(errs, r.applier.Delete(ctx, metadata(children.HTTPRouteKind(), route)))
		}
	}
	return errors.Join(errs...)
}

// works says whether the Ingress or HTTPRoute of an endpoint leads to it, as far as anybody says it. Not every controller reports the
// address of an Ingress, so that is not waited for forever.
func (s *scope) works(e *v1alpha1.WebhookEndpoint, f condition.Finding, now time.Time) bool {
	ingress := s.exposures.ingresses[children.ExposureName(e.Name)]
	if f.OK() || !f.Unknown || ingress == nil || e.Spec.Exposure.Gateway != nil {
		return f.OK()
	}
	left := addressWait - now.Sub(ingress.CreationTimestamp.Time)
	if left > 0 {
		s.lookAgain(left)
	}
	return left <= 0
}

// isOneOf says whether the URL of a name is the given one, which is empty when nobody can say.
func isOneOf(urls map[string]string, name, url string) bool { return url != "" && urls[name] == url }

// conflicts says whether the host and path are not the endpoint's: requests would reach another one, or belong to another namespace.
func conflicts(f condition.Finding) bool {
	switch f.Reason {
	case v1alpha1.ReasonHostConflict, v1alpha1.ReasonHostReserved, v1alpha1.ReasonHostNotAllowed, v1alpha1.ReasonPathConflict:
		return true
	default:
		return false
	}
}

// exposeOne writes what one endpoint is exposed by, and says how it is.
func (r *Reconciler) exposeOne(ctx context.Context, s *scope, e *v1alpha1.WebhookEndpoint, now time.Time) (condition.Finding, error) {
	in := s.inputsOf(e, now)
	serving := webhookendpoint.Serving(e, in.Name, webhookendpoint.Programmed(e, in))
	for _, p := range in.Problems {
		if p.Reason == v1alpha1.ReasonPathConflict && serving == in.Name { // a former receiver answers 503 for it
			return condition.Finding{Reason: p.Reason, Message: p.Message}, nil
		}
	}
	if f, err := r.mayBeThere(ctx, s, e); err != nil || !f.OK() {
		return f, err
	}
	if e.Spec.Exposure.Gateway != nil && !s.exposures.installed {
		s.lookAgain(routesPoll)
		return condition.Finding{
			Reason:  v1alpha1.ReasonGatewayAPINotInstalled,
			Message: "The cluster does not know the kind HTTPRoute of gateway.networking.k8s.io/v1; install the Gateway API, or use spec.exposure.ingress.",
		}, nil
	}
	_, state := s.exposures.of(e)
	if f, err := s.noteExposure(e, r.applyExposure(ctx, s, e, serving)); err != nil || !f.OK() {
		return f, err
	}
	return state, nil
}

// of returns the Ingress or HTTPRoute of an endpoint as the cache has it, nil when it has none, and how it is.
func (x *exposures) of(e *v1alpha1.WebhookEndpoint) (*metav1.PartialObjectMetadata, condition.Finding) {
	name := children.ExposureName(e.Name)
	if e.Spec.Exposure.Gateway == nil {
		ingress := x.ingresses[name]
		if ingress == nil {
			return nil, ingressFinding(nil)
		}
		return metadata(ingressKind(), ingress), ingressFinding(ingress)
	}
	route := x.routes[name]
	if route == nil {
		return nil, routeFinding(nil, e)
	}
	return metadata(children.HTTPRouteKind(), route), routeFinding(route, e)
}

// noteExposure makes a finding of why an object could not be written.
func (s *scope) noteExposure(e *v1alpha1.WebhookEndpoint, err error) (condition.Finding, error) {
	if foreign, ok := errors.AsType[*apply.ForeignError](err); ok {
		s.lookAgain(foreignRetry)
		return condition.Finding{Reason: v1alpha1.ReasonNameTaken, Message: foreign.Error()}, nil
	}
	if err != nil {
		return applyFailed(err, "for path "+e.Path()+" at host "+e.Spec.Exposure.Host,
			"Mend what it names: spec.path, spec.exposure, or the webhook or policy that refuses it"), err
	}
	return condition.Finding{}, nil
}

func metadata(kind schema.GroupVersionKind, o metav1.Object) *metav1.PartialObjectMetadata {
	m := metadataOf(kind)
	m.Name, m.Namespace, m.UID, m.ResourceVersion = o.GetName(), o.GetNamespace(), o.GetUID(), o.GetResourceVersion()
	m.Labels, m.OwnerReferences = o.GetLabels(), o.GetOwnerReferences()
	return m
}
