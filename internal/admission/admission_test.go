package admission_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/internal/admission"
	"github.com/mailvane/mailvane/internal/admission/admissiontest"
	"github.com/mailvane/mailvane/test/controlplane"
)

var cluster controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(cluster.Run(m))
}

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

// TestSaysWhatAnAPIServerSays holds what admission makes of an object's outline against a real API server. The rules of the fields
// are held against it where they are tested, beside the types.
func TestSaysWhatAnAPIServerSays(t *testing.T) {
	t.Parallel()

	named := func(metadata map[string]any) map[string]any {
		object := sink(map[string]any{})
		object["metadata"] = metadata
		return object
	}
	tests := map[string]struct {
		reason string
		object map[string]any
		ok     bool
	}{
		"right":                    {"nothing is wrong", sink(map[string]any{}), true},
		"null":                     {"a null counts as absent", sink(map[string]any{"batch": nil}), true},
		"null list item":           {"an item is not absent", sink(map[string]any{"deadLetter": map[string]any{"sinkRef": nil}}), false},
		"unknown field":            {"fields are known by their case", sink(map[string]any{"Ordering": "ByKey"}), false},
		"unknown and wrong":        {"one mistake does not hide another", sink(map[string]any{"Ordering": "ByKey", "maxInFlight": int64(0)}), false},
		"two unknown":              {"all are listed", sink(map[string]any{"Ordering": "ByKey", "batch": map[string]any{"events": int64(1)}}), false},
		"wrong type":               {"rules need types", sink(map[string]any{"maxInFlight": "many"}), false},
		"fraction":                 {"an integer has none", sink(map[string]any{"maxInFlight": 1.5}), false},
		"beyond int32":             {"numbers are bounded", sink(map[string]any{"maxInFlight": int64(1) << 40}), false},
		"no spec":                  {"a kind is nothing without it", map[string]any{"apiVersion": "mailvane.dev/v1alpha1", "kind": "EventSink", "metadata": map[string]any{"name": "a"}}, false},
		"unknown in metadata":      {"metadata has fields too", named(map[string]any{"name": "a", "colour": "red"}), false},
		"name with a capital":      {"RFC 1123", named(map[string]any{"name": "Console"}), false},
		"name with a space":        {"RFC 1123", named(map[string]any{"name": "my sink"}), false},
		"label with a space":       {"labels are values of selectors", named(map[string]any{"name": "a", "labels": map[string]any{"team": "mail team"}}), false},
		"label that is a number":   {"labels are strings", named(map[string]any{"name": "a", "labels": map[string]any{"team": int64(1)}}), false},
		"annotation with bad name": {"annotations have qualified names", named(map[string]any{"name": "a", "annotations": map[string]any{"a/b/c": "d"}}), false},
	}
	judge := &admissiontest.Judge{Admission: newAdmission(t), Cluster: &cluster}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if review := judge.Create(t, tc.object); review.OK() != tc.ok {
				t.Errorf("%s: OK: got %t (%v, %v), want %t", tc.reason, review.OK(), review.Unknown, review.Errors, tc.ok)
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
