package exposure

import (
	"context"
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
)

func ingressKind() schema.GroupVersionKind {
	return networkingv1.SchemeGroupVersion.WithKind("Ingress")
}

// Read reads what the endpoints of a namespace are exposed by.
func (p *Phase) Read(ctx context.Context, namespace string, endpoints []v1alpha1.WebhookEndpoint) (Objects, error) {
	found := Objects{ingresses: map[string]*networkingv1.Ingress{}, routes: map[string]*unstructured.Unstructured{}}
	var ingresses networkingv1.IngressList
	if err := p.Cache.List(ctx, &ingresses, client.InNamespace(namespace), client.MatchingLabels(children.ExposureLabels())); err != nil {
		return Objects{}, fmt.Errorf("list Ingresses: %w", err)
	}
	for i := range ingresses.Items {
		found.ingresses[ingresses.Items[i].Name] = &ingresses.Items[i]
	}
	if p.Routes == nil {
		return found, nil
	}
	age := routesIdlePoll
	if slices.ContainsFunc(endpoints, func(e v1alpha1.WebhookEndpoint) bool { return e.Spec.Exposure != nil && e.Spec.Exposure.Gateway != nil }) {
		age = routesPoll
	}
	installed, err := p.Routes.Available(ctx, age)
	if err != nil || !installed {
		return found, err
	}
	found.installed = true
	routes, err := p.Routes.List(ctx, namespace)
	for i := range routes {
		found.routes[routes[i].GetName()] = &routes[i]
	}
	return found, err
}

// of returns the Ingress or HTTPRoute of an endpoint as the cache has it, nil when it has none, and how it is.
func (o *Objects) of(e *v1alpha1.WebhookEndpoint) (*metav1.PartialObjectMetadata, condition.Finding) {
	name := children.ExposureName(e.Name)
	if e.Spec.Exposure.Gateway == nil {
		ingress := o.ingresses[name]
		if ingress == nil {
			return nil, ingressFinding(nil)
		}
		return metadata(ingressKind(), ingress), ingressFinding(ingress)
	}
	route := o.routes[name]
	if route == nil {
		return nil, routeFinding(nil, e)
	}
	return metadata(children.HTTPRouteKind(), route), routeFinding(route, e)
}

func metadata(kind schema.GroupVersionKind, o metav1.Object) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(kind)
	m.Name, m.Namespace, m.UID, m.ResourceVersion = o.GetName(), o.GetNamespace(), o.GetUID(), o.GetResourceVersion()
	m.Labels, m.OwnerReferences = o.GetLabels(), o.GetOwnerReferences()
	return m
}
