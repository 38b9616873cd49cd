package receiver

import (
	"encoding/json"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// TestWhereAnExposureIs reads the host and the path from what endpoints are exposed by.
func TestWhereAnExposureIs(t *testing.T) {
	t.Parallel()
	e := &v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name, e.Spec.Path = "mail", "crm", "/hooks/crm"
	made := func(exposure v1alpha1.Exposure, object any) {
		t.Helper()
		exposure.Host = "hooks.example.com"
		e.Spec.Exposure = &exposure
		text, err := json.Marshal(children.Exposure(e, children.Name))
		if err == nil {
			err = json.Unmarshal(text, object)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var ingress networkingv1.Ingress
	made(v1alpha1.Exposure{Ingress: &v1alpha1.IngressExposure{}}, &ingress)
	if got := ingressURL(&ingress); got != ExposedAt(e) {
		t.Errorf("the Ingress is at %q", got)
	}
	route := &unstructured.Unstructured{}
	made(v1alpha1.Exposure{Gateway: &v1alpha1.GatewayExposure{}}, &route.Object)
	if got := routeURL(route); got != ExposedAt(e) {
		t.Errorf("the HTTPRoute is at %q", got)
	}
	if ingressURL(&networkingv1.Ingress{})+routeURL(&unstructured.Unstructured{}) != "" {
		t.Error("what says nothing is somewhere")
	}
}
