package exposure

import (
	"context"
	"errors"
	"time"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// addressWait is how long an Ingress without an address is waited for before the HTTPRoute that it replaces goes.
const addressWait = 5 * time.Minute

// kept says which objects stay, by name.
type kept struct {
	ingresses, routes map[string]bool
	// replacing holds the URLs at which a new object does not work yet.
	replacing map[string]string
}

// Expose writes the Ingresses and HTTPRoutes, and deletes those that no endpoint asks for any more. Of an endpoint that changes from the one
// to the other, the former one goes when the new one works, unless it is at another URL, which no endpoint asks for.
func (p *Phase) Expose(ctx context.Context, in Input) (Result, error) {
	result := Result{Findings: map[string]condition.Finding{}}
	keep := kept{map[string]bool{}, map[string]bool{}, map[string]string{}}
	var errs []error
	for _, e := range in.Endpoints {
		if e.Spec.Exposure == nil {
			continue
		}
		name, wanted := children.ExposureName(e.Name), keep.ingresses
		if e.Spec.Exposure.Gateway != nil {
			wanted = keep.routes
		}
		finding, err := p.exposeOne(ctx, in, e, &result)
		if err != nil && finding.OK() { // nothing is known of it
			finding, err = notWritten(e, err)
		}
		result.Findings[e.Name] = finding
		wanted[name] = !IsConflict(finding)
		if wanted[name] && (err != nil || !works(&in, e, finding, &result)) {
			keep.replacing[name] = At(e.WebhookEndpoint)
		}
		errs = append(errs, err)
	}
	return result, errors.Join(append(errs, p.prune(ctx, in.Objects, keep))...)
}

// prune deletes what is not wanted, unless it is to be replaced and still at the URL of its name.
func (p *Phase) prune(ctx context.Context, present Objects, keep kept) error {
	var errs []error
	for name, ingress := range present.ingresses {
		if !keep.ingresses[name] && !keep.isReplaced(name, children.IngressURL(ingress)) {
			errs = append(errs, p.Applier.Delete(ctx, metadata(ingressKind(), ingress)))
		}
	}
	for name, route := range present.routes {
		if !keep.routes[name] && !keep.isReplaced(name, routeURL(route)) {
			errs = append(errs, p.Applier.Delete(ctx, metadata(children.HTTPRouteKind(), route)))
		}
	}
	return errors.Join(errs...)
}

// isReplaced reports whether an object at a URL, which is empty when it is not known, still stands in for a new one.
func (k *kept) isReplaced(name, url string) bool { return url != "" && k.replacing[name] == url }

// works reports whether the Ingress or HTTPRoute of an endpoint leads to it, as far as its controller reports it. Not every controller reports
// the address of an Ingress, so that is not waited for forever.
func works(in *Input, e Endpoint, f condition.Finding, result *Result) bool {
	ingress := in.Objects.ingresses[children.ExposureName(e.Name)]
	if f.OK() || !f.Unknown || ingress == nil || e.Spec.Exposure.Gateway != nil {
		return f.OK()
	}
	left := addressWait - in.Now.Sub(ingress.CreationTimestamp.Time)
	if left > 0 {
		result.lookAgain(left)
	}
	return left <= 0
}

// exposeOne writes what one endpoint is exposed by, and says how it is.
func (p *Phase) exposeOne(ctx context.Context, in Input, e Endpoint, result *Result) (condition.Finding, error) {
	if !e.PathConflict.OK() {
		return e.PathConflict, nil
	}
	if f, err := p.mayBeThere(ctx, in, e.WebhookEndpoint, result); err != nil || !f.OK() {
		return f, err
	}
	if e.Spec.Exposure.Gateway != nil && !in.Objects.installed {
		result.lookAgain(routesPoll)
		return condition.Finding{
			Reason:  v1alpha1.ReasonGatewayAPINotInstalled,
			Message: "The cluster does not know the kind HTTPRoute of gateway.networking.k8s.io/v1; install the Gateway API, or use spec.exposure.ingress.",
		}, nil
	}
	if f, err := notWritten(e, p.write(ctx, in.Objects, e)); err != nil || !f.OK() {
		if apply.IsForeign(f) {
			result.lookAgain(requeue.Foreign)
		}
		return f, err
	}
	_, state := in.Objects.of(e.WebhookEndpoint)
	return state, nil
}

// notWritten returns the finding of an Ingress or HTTPRoute that could not be written.
func notWritten(e Endpoint, err error) (condition.Finding, error) {
	return apply.Finding(err, "for path "+e.Path()+" at host "+e.Spec.Exposure.Host,
		"Mend what it names: spec.path, spec.exposure, or the webhook or policy that refuses it")
}
