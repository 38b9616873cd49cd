package exposure

import (
	"encoding/json"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
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
	if got := children.IngressURL(&ingress); got != At(e) {
		t.Errorf("the Ingress is at %q", got)
	}
	route := &unstructured.Unstructured{}
	made(v1alpha1.Exposure{Gateway: &v1alpha1.GatewayExposure{}}, &route.Object)
	if got := routeURL(route); got != At(e) {
		t.Errorf("the HTTPRoute is at %q", got)
	}
	if children.IngressURL(&networkingv1.Ingress{})+routeURL(&unstructured.Unstructured{}) != "" {
		t.Error("what says nothing is somewhere")
	}
}

// TestWhatAnExposureReplacesGoes waits for what a controller says, but not forever where it may never say it.
func TestWhatAnExposureReplacesGoes(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	unknown := condition.Finding{Reason: v1alpha1.ReasonIngressPending, Unknown: true}
	ingress := &v1alpha1.Exposure{Ingress: &v1alpha1.IngressExposure{}}
	gateway := &v1alpha1.Exposure{Gateway: &v1alpha1.GatewayExposure{}}
	for name, tc := range map[string]struct {
		exposure *v1alpha1.Exposure
		finding  condition.Finding
		made     time.Time // the Ingress; zero = it is not there
		works    bool
		again    time.Duration
	}{
		"taken":                   {ingress, condition.Finding{}, time.Time{}, true, 0},
		"refused":                 {gateway, condition.Finding{Reason: v1alpha1.ReasonRouteRefused}, now.Add(-time.Hour), false, 0},
		"a silent Gateway":        {gateway, condition.Finding{Reason: v1alpha1.ReasonRoutePending, Unknown: true}, now.Add(-time.Hour), false, 0},
		"not there yet":           {ingress, unknown, time.Time{}, false, 0},
		"without an address":      {ingress, unknown, now.Add(-time.Minute), false, addressWait - time.Minute},
		"long without an address": {ingress, unknown, now.Add(-addressWait), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &Input{Objects: Objects{ingresses: map[string]*networkingv1.Ingress{}}, Now: now}
			if !tc.made.IsZero() {
				ingress := &networkingv1.Ingress{}
				ingress.CreationTimestamp = metav1.NewTime(tc.made)
				in.Objects.ingresses[children.ExposureName("crm")] = ingress
			}
			e := &v1alpha1.WebhookEndpoint{}
			e.Name, e.Spec.Exposure = "crm", tc.exposure
			var result Result
			if works := works(in, Endpoint{WebhookEndpoint: e}, tc.finding, &result); works != tc.works || result.After != tc.again {
				t.Errorf("works %v, looks again after %v", works, result.After)
			}
		})
	}
}
