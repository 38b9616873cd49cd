package exposure

import (
	"context"
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// write writes the Ingress or the HTTPRoute of an endpoint.
func (p *Phase) write(ctx context.Context, present Objects, e Endpoint) error {
	configuration := children.Exposure(e.WebhookEndpoint, e.Serving)
	if own, ok := configuration.(*networkingv1ac.IngressApplyConfiguration); ok {
		return p.applyIngress(ctx, own, present.ingresses[children.ExposureName(e.Name)])
	}
	route, _ := present.of(e.WebhookEndpoint)
	return p.Applier.Apply(ctx, configuration, route)
}

// applyIngress writes an Ingress and leaves in it what others have added. It looks at what the API server has before it writes: the cache may not
// know yet of what has been added, and the version keeps it from being lost in between.
func (p *Phase) applyIngress(ctx context.Context, own *networkingv1ac.IngressApplyConfiguration, cached *networkingv1.Ingress) error {
	if cached != nil {
		_, same, err := children.Beside(own, cached)
		if err != nil {
			return err
		}
		if done, err := p.Applier.IsApplied(own, metadata(ingressKind(), cached), same); err != nil || done {
			return err
		}
	}
	var live networkingv1.Ingress
	err := p.Live.Get(ctx, client.ObjectKey{Namespace: *own.Namespace, Name: *own.Name}, &live)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read Ingress %s: %w", *own.Name, err)
	}
	if err != nil {
		return p.Applier.Apply(ctx, own, nil)
	}
	whole, _, err := children.Beside(own, &live)
	if err != nil {
		return err
	}
	present := metadata(ingressKind(), &live)
	present.ManagedFields = live.ManagedFields
	return p.Applier.ApplyAs(ctx, own, whole.WithResourceVersion(live.ResourceVersion), present)
}

// ingressFinding returns the finding whether a controller has taken an Ingress. Not all of them report an address, so its lack proves nothing.
func ingressFinding(ingress *networkingv1.Ingress) condition.Finding {
	if ingress != nil && len(ingress.Status.LoadBalancer.Ingress) > 0 {
		return condition.Finding{}
	}
	return condition.Finding{
		Reason: v1alpha1.ReasonIngressPending, Unknown: true,
		Message: "No controller has reported an address for the Ingress yet; is there one for its class? Some never report one.",
	}
}
