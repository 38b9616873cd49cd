// Package admissiontest holds package admission to its promise: to say of an object what a Kubernetes API server says.
package admissiontest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/internal/admission"
	"github.com/mailvane/mailvane/test/controlplane"
)

// Judge asks both. It is safe for concurrent use.
type Judge struct {
	Admission *admission.Admission
	Cluster   *controlplane.ControlPlane
}

// Create is [admission.Admission.Create] for a namespace of its own. The test fails when the API server finds other problems with
// object, or fills in other defaults.
func (j *Judge) Create(t *testing.T, object map[string]any) admission.Review {
	t.Helper()

	api := j.Cluster.Client(t)
	sent := &unstructured.Unstructured{Object: object}
	sent.SetNamespace(j.Cluster.Namespace(t))
	lenient, strict := sent.DeepCopy(), sent.DeepCopy()
	review := j.Admission.Create(t.Context(), sent.GroupVersionKind(), object)
	compare(t, review, sent, lenient,
		api.Create(t.Context(), lenient, client.DryRunAll, client.FieldValidation(metav1.FieldValidationIgnore)))
	compareUnknown(t, review,
		api.Create(t.Context(), strict, client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict)))
	return review
}

// Update is [admission.Admission.Update] for a namespace of its own. The test fails when the API server, where old is stored, finds
// other problems with object, or fills in other defaults.
func (j *Judge) Update(t *testing.T, object, old map[string]any) admission.Review {
	t.Helper()

	api, namespace := j.Cluster.Client(t), j.Cluster.Namespace(t)
	stored := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(old)}
	stored.SetNamespace(namespace)
	if err := api.Create(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	sent := &unstructured.Unstructured{Object: object}
	sent.SetNamespace(namespace)
	sent.SetResourceVersion(stored.GetResourceVersion())
	answer := sent.DeepCopy()
	review := j.Admission.Update(t.Context(), sent.GroupVersionKind(), object, stored.Object)
	compare(t, review, sent, answer, api.Update(t.Context(), answer, client.DryRunAll))
	return review
}

// compare compares the two on everything but unknown fields: what package admission says of object and made of it, and the answer of
// the API server and its error.
func compare(t *testing.T, review admission.Review, object, answer *unstructured.Unstructured, err error) {
	t.Helper()

	if apierrors.IsBadRequest(err) {
		// The API server cannot even decode it, and so lists no fields.
		if len(review.Errors) == 0 {
			t.Errorf("the API server says %v, package admission says nothing", err)
		}
		return
	}
	want, skipped := refusals(err)
	if diff := cmp.Diff(want, problems(review.Errors)); diff != "" {
		t.Errorf("problems (-API server +package admission):\n%s", diff)
	}
	if review.RulesSkipped != skipped {
		t.Errorf("rules skipped: by the API server %t, by package admission %t", skipped, review.RulesSkipped)
	}
	if err != nil {
		return
	}
	if diff := cmp.Diff(answer.Object["spec"], object.Object["spec"]); diff != "" {
		t.Errorf("the object with its defaults (-API server +package admission):\n%s", diff)
	}
}

// compareUnknown compares the two on unknown fields, given what the API server says when it is asked to refuse them.
func compareUnknown(t *testing.T, review admission.Review, err error) {
	t.Helper()

	if review.OK() != (err == nil) {
		t.Errorf("the API server says %v, package admission says %v and %v", err, review.Unknown, review.Errors)
	}
	for _, path := range review.Unknown {
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("unknown field %q", path)) {
			t.Errorf("the API server says %v, package admission does not know %s", err, path)
		}
	}
}

// problems returns the field and the message of each error, sorted.
func problems(errs field.ErrorList) []string {
	var list []string
	for _, err := range errs {
		list = append(list, err.Field+": "+err.ErrorBody())
	}
	slices.Sort(list)
	return list
}

// notChecked begins what the API server says when it could not evaluate the CEL rules.
const notChecked = "some validation rules were not checked"

// refusals returns the field and the message of each cause that the API server gives, sorted, and whether it skipped the CEL rules.
func refusals(err error) (list []string, skipped bool) {
	var refusal *apierrors.StatusError
	switch {
	case err == nil:
		return nil, false
	case !errors.As(err, &refusal), !apierrors.IsInvalid(err), refusal.ErrStatus.Details == nil:
		return []string{err.Error()}, false
	}
	for _, cause := range refusal.ErrStatus.Details.Causes {
		if strings.Contains(cause.Message, notChecked) {
			skipped = true
			continue
		}
		list = append(list, cause.Field+": "+cause.Message)
	}
	slices.Sort(list)
	return list, skipped
}
