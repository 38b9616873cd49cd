package children

import (
	"maps"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// HTTPRouteKind returns the kind of the Gateway API that endpoints are exposed by.
func HTTPRouteKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
}

// ExposureLabels returns the labels of Ingresses and HTTPRoutes.
func ExposureLabels() map[string]string {
	return map[string]string{
		"app.kubernetes.io/component": "exposure",
		"app.kubernetes.io/part-of":   "mailvane",
		ManagedByLabel:                ManagedByValue,
	}
}

// Exposure returns the Ingress or the HTTPRoute of an endpoint, which leads to a receiver.
func Exposure(e *v1alpha1.WebhookEndpoint, receiver string) runtime.ApplyConfiguration {
	if e.Spec.Exposure.Ingress != nil {
		return ingress(e, receiver)
	}
	return httpRoute(e, receiver)
}

// hasToken says whether the provider posts to a path below that of the endpoint.
func hasToken(e *v1alpha1.WebhookEndpoint) bool {
	return len(e.Spec.Authentication.PathToken.SecretRefs) > 0
}

func ingress(e *v1alpha1.WebhookEndpoint, receiver string) *networkingv1ac.IngressApplyConfiguration {
	exposure := e.Spec.Exposure
	pathType := networkingv1.PathTypeExact
	if hasToken(e) {
		pathType = networkingv1.PathTypePrefix
	}
	path := networkingv1ac.HTTPIngressPath().WithPath(e.Path()).WithPathType(pathType).WithBackend(
		networkingv1ac.IngressBackend().WithService(networkingv1ac.IngressServiceBackend().
			WithName(receiver).WithPort(networkingv1ac.ServiceBackendPort().WithName(webhookPortName))))
	annotations := maps.Clone(exposure.Ingress.Annotations)
	spec := networkingv1ac.IngressSpec().WithRules(
		networkingv1ac.IngressRule().WithHost(exposure.Host).WithHTTP(networkingv1ac.HTTPIngressRuleValue().WithPaths(path)))
	if exposure.Ingress.ClassName != "" {
		spec = spec.WithIngressClassName(exposure.Ingress.ClassName)
	}
	if exposure.Ingress.TLSSecretName != "" {
		spec = spec.WithTLS(networkingv1ac.IngressTLS().WithHosts(exposure.Host).WithSecretName(exposure.Ingress.TLSSecretName))
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[tlsAnnotation] = exposure.Host + " " + exposure.Ingress.TLSSecretName
	}
	return networkingv1ac.Ingress(ExposureName(e.Name), e.Namespace).
		WithLabels(ExposureLabels()).WithAnnotations(annotations).WithOwnerReferences(OwnerReference(e)).WithSpec(spec)
}

// httpRoute is made without the types of the Gateway API: one object with a dozen fields does not need the module.
func httpRoute(e *v1alpha1.WebhookEndpoint, receiver string) runtime.ApplyConfiguration {
	pathType := "Exact"
	if hasToken(e) {
		pathType = "PathPrefix"
	}
	parents := make([]any, 0, len(e.Spec.Exposure.Gateway.ParentRefs))
	for _, p := range e.Spec.Exposure.Gateway.ParentRefs {
		parents = append(parents, parent(p))
	}
	labels := map[string]any{}
	for key, value := range ExposureLabels() {
		labels[key] = value
	}
	route := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{
			"name": ExposureName(e.Name), "namespace": e.Namespace, "labels": labels,
			"ownerReferences": []any{map[string]any{
				"apiVersion": v1alpha1.GroupVersion().String(), "kind": v1alpha1.WebhookEndpointKind,
				"name": e.Name, "uid": string(e.UID), "controller": true,
			}},
		},
		"spec": map[string]any{
			"parentRefs": parents,
			"hostnames":  []any{e.Spec.Exposure.Host},
			"rules": []any{map[string]any{
				"matches":     []any{map[string]any{"path": map[string]any{"type": pathType, "value": e.Path()}}},
				"backendRefs": []any{map[string]any{"name": receiver, "port": int64(WebhookPort)}},
			}},
		},
	}}
	route.SetGroupVersionKind(HTTPRouteKind())
	return client.ApplyConfigurationFromUnstructured(route)
}

func parent(p v1alpha1.GatewayReference) map[string]any {
	reference := map[string]any{"name": p.Name}
	if p.Namespace != "" {
		reference["namespace"] = p.Namespace
	}
	if p.SectionName != "" {
		reference["sectionName"] = p.SectionName
	}
	if p.Port != 0 {
		reference["port"] = int64(p.Port)
	}
	return reference
}
