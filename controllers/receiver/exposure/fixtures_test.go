package exposure

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply/applytest"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// at is when passes are.
func at() time.Time { return time.Unix(1_000_000, 0) }

// by returns an exposure at hooks.example.com: by an Ingress, or by Gateway gw.
func by(kind string) *v1alpha1.Exposure {
	if kind == "Ingress" {
		return &v1alpha1.Exposure{Host: "hooks.example.com", Ingress: &v1alpha1.IngressExposure{}}
	}
	return &v1alpha1.Exposure{Host: "hooks.example.com", Gateway: &v1alpha1.GatewayExposure{ParentRefs: []v1alpha1.GatewayReference{{Name: "gw"}}}}
}

func endpoint(namespace, name string, exposure *v1alpha1.Exposure) *v1alpha1.WebhookEndpoint {
	e := &v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name, e.UID = namespace, name, types.UID(namespace+"/"+name)
	e.CreationTimestamp = metav1.NewTime(at().Add(-time.Hour))
	e.Spec.Exposure = exposure
	return e
}

// made returns the object that an endpoint is exposed by, as the API server has it.
func made[T any](t *testing.T, e *v1alpha1.WebhookEndpoint, object *T) *T {
	t.Helper()
	text, err := json.Marshal(children.Exposure(e, children.Name))
	if err == nil {
		err = json.Unmarshal(text, object)
	}
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func ingressOf(t *testing.T, e *v1alpha1.WebhookEndpoint, address string) *networkingv1.Ingress {
	t.Helper()
	ingress := made(t, e, &networkingv1.Ingress{})
	ingress.CreationTimestamp = metav1.NewTime(at().Add(-time.Minute))
	if address != "" {
		ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{Hostname: address}}
	}
	return ingress
}

// routeOf returns the HTTPRoute of an endpoint, which its Gateway has accepted, rejected or, with an empty status, not seen.
func routeOf(t *testing.T, e *v1alpha1.WebhookEndpoint, accepted string) *unstructured.Unstructured {
	t.Helper()
	route := &unstructured.Unstructured{Object: *made(t, e, &map[string]any{})}
	if accepted != "" {
		route.Object["status"] = map[string]any{"parents": []any{map[string]any{
			"parentRef":  map[string]any{"name": "gw"},
			"conditions": []any{map[string]any{"type": "Accepted", "status": accepted, "reason": "Any", "message": "says the Gateway"}},
		}}}
	}
	return route
}

// routes are the HTTPRoutes of a cluster.
type routes struct {
	missing bool // the cluster does not know them
	items   []unstructured.Unstructured
	err     error
	maxAge  time.Duration // that was asked for last
}

func (r *routes) Available(_ context.Context, maxAge time.Duration) (bool, error) {
	r.maxAge = maxAge
	return !r.missing, r.err
}

func (r *routes) List(_ context.Context, namespace string) ([]unstructured.Unstructured, error) {
	var own []unstructured.Unstructured
	for _, route := range r.items {
		if route.GetNamespace() == namespace {
			own = append(own, route)
		}
	}
	return own, nil
}

// phase returns a Phase in a cluster with objects. Their reading may be intercepted.
func phase(t *testing.T, funcs interceptor.Funcs, objects ...client.Object) (*Phase, *applytest.Applier) {
	t.Helper()
	kinds := runtime.NewScheme()
	if err := scheme.AddToScheme(kinds); err != nil {
		t.Fatal(err)
	}
	if err := v1alpha1.AddToScheme(kinds); err != nil {
		t.Fatal(err)
	}
	index := func(o client.Object) []string {
		if e, ok := o.(*v1alpha1.WebhookEndpoint); ok && e.Spec.Exposure != nil {
			return []string{At(e)}
		}
		return nil
	}
	cluster := fake.NewClientBuilder().WithScheme(kinds).WithObjects(objects...).WithIndex(&v1alpha1.WebhookEndpoint{}, URLIndex, index).
		WithInterceptorFuncs(funcs).Build()
	applier := &applytest.Applier{}
	return &Phase{
		Cache: cluster, Live: cluster, Applier: applier, Routes: &routes{},
		Claims: NewClaims(cluster, cluster, client.ObjectKey{Namespace: "mailvane-system", Name: "hosts"}), Limits: limits.Default(),
	}, applier
}

// pass reads what there is and exposes the endpoints of namespace mail.
func pass(t *testing.T, p *Phase, endpoints ...Endpoint) (Result, error) {
	t.Helper()
	all := make([]v1alpha1.WebhookEndpoint, len(endpoints))
	for i := range endpoints {
		all[i] = *endpoints[i].WebhookEndpoint
	}
	found, err := p.Read(t.Context(), "mail", all)
	if err != nil {
		t.Fatal(err)
	}
	return p.Expose(t.Context(), Input{Endpoints: endpoints, Objects: found, Now: at()})
}
