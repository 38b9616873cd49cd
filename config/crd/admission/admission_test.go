package admission_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/config/crd/admission"
)

func newAdmission(t *testing.T) *admission.Admission {
	t.Helper()

	a, err := admission.New()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func sink(delivery map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "mailvane.dev/v1alpha1",
		"kind":       "EventSink",
		"metadata":   map[string]any{"name": "console", "namespace": "mail"},
		"spec":       map[string]any{"type": "Stdout", "delivery": delivery},
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		reason  string
		kind    string
		object  map[string]any
		unknown []string
		errs    string
		skipped bool
	}{
		"right":         {reason: "nothing is wrong", kind: v1alpha1.EventSinkKind, object: sink(map[string]any{})},
		"null":          {reason: "a null counts as absent", kind: v1alpha1.EventSinkKind, object: sink(map[string]any{"batch": nil})},
		"unknown field": {reason: "fields are known by their case", kind: v1alpha1.EventSinkKind, object: sink(map[string]any{"Ordering": "ByKey"}), unknown: []string{"spec.delivery.Ordering"}},
		"unknown kind":  {reason: "only Mailvane's kinds are known", kind: "Deployment", object: map[string]any{}, errs: "not a kind of Mailvane"},
		"no name":       {reason: "metadata is validated", kind: v1alpha1.EventSinkKind, object: map[string]any{"apiVersion": "mailvane.dev/v1alpha1", "kind": "EventSink", "spec": map[string]any{"type": "Stdout"}}, errs: "metadata.name", skipped: true},
		"wrong type":    {reason: "rules need types", kind: v1alpha1.EventSinkKind, object: sink(map[string]any{"maxInFlight": "many"}), errs: "spec.delivery.maxInFlight", skipped: true},
		"bad metadata":  {reason: "metadata is validated", kind: v1alpha1.EventSinkKind, object: map[string]any{"metadata": "x"}, errs: "metadata", skipped: true},
	}
	a := newAdmission(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			review := a.Create(t.Context(), v1alpha1.GroupVersion().WithKind(tc.kind), tc.object)
			if diff := cmp.Diff(tc.unknown, review.Unknown); diff != "" {
				t.Errorf("%s: unknown fields (-want +got):\n%s", tc.reason, diff)
			}
			if got := review.Errors; (tc.errs == "") != (len(got) == 0) || (tc.errs != "" && !strings.Contains(got.ToAggregate().Error(), tc.errs)) {
				t.Errorf("%s: got errors %v, want %q", tc.reason, got, tc.errs)
			}
			if review.RulesSkipped != tc.skipped {
				t.Errorf("%s: rules skipped: got %t, want %t", tc.reason, review.RulesSkipped, tc.skipped)
			}
			if ok := tc.unknown == nil && tc.errs == ""; review.OK() != ok {
				t.Errorf("%s: OK: got %t, want %t", tc.reason, review.OK(), ok)
			}
		})
	}
}

func TestFields(t *testing.T) {
	t.Parallel()

	a := newAdmission(t)
	gvk := v1alpha1.GroupVersion().WithKind(v1alpha1.WebhookEndpointKind)
	tests := map[string]struct {
		gvk  schema.GroupVersionKind
		path string
		want []string
	}{
		"in a list":     {gvk, "spec.routes[0]", []string{"filter", "name", "sinkRef"}},
		"at the root":   {gvk, "", []string{"apiVersion", "kind", "metadata", "spec", "status"}},
		"no such field": {gvk, "spec.nothing.at.all", nil},
		"no such kind":  {schema.GroupVersionKind{Kind: "Pod"}, "spec", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if diff := cmp.Diff(tc.want, a.Fields(tc.gvk, tc.path)); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}
