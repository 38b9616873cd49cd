package v1alpha1_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/internal/admission"
	"github.com/mailvane/mailvane/internal/admission/admissiontest"
	"github.com/mailvane/mailvane/test/controlplane"
)

// cluster is the API server that every case is asked of, beside package admission.
var cluster controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(cluster.Run(m))
}

// admissionCase is a spec, in YAML, and what the API server says of it.
type admissionCase struct {
	reason string
	spec   string
	// want is "field: words of the message"; empty means that the object is accepted.
	want string
}

// schemas compiles the definitions once for all tests.
var schemas = sync.OnceValues(admission.New)

func runCreate(t *testing.T, kind string, tests map[string]admissionCase) {
	t.Helper()

	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, errs := create(t, kind, tc.spec)
			checkErrors(t, tc.reason, tc.want, errs)
		})
	}
}

// newJudge returns what says of an object what package admission and the API server agree on.
func newJudge(t *testing.T) *admissiontest.Judge {
	t.Helper()

	a, err := schemas()
	if err != nil {
		t.Fatal(err)
	}
	return &admissiontest.Judge{Admission: a, Cluster: &cluster}
}

func create(t *testing.T, kind, spec string) (map[string]any, field.ErrorList) {
	t.Helper()

	object := decode(t, kind, spec)
	review := newJudge(t).Create(t, object)
	if len(review.Unknown) != 0 {
		t.Fatalf("the test's object has unknown fields: %v", review.Unknown)
	}
	return object, review.Errors
}

func decode(t *testing.T, kind, spec string) map[string]any {
	t.Helper()

	text := fmt.Sprintf("apiVersion: mailvane.dev/v1alpha1\nkind: %s\nmetadata: {name: test, namespace: mail}\nspec:\n%s", kind, indent(spec))
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var object map[string]any
	if err := utiljson.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}

func checkErrors(t *testing.T, reason, want string, errs field.ErrorList) {
	t.Helper()

	if want == "" {
		if len(errs) != 0 {
			t.Errorf("%s: refused: %v", reason, errs.ToAggregate())
		}
		return
	}
	path, words, _ := strings.Cut(want, ": ")
	for _, err := range errs {
		if err.Field == path && strings.Contains(err.ErrorBody(), words) {
			return
		}
	}
	t.Errorf("%s: got %v, want an error of %s with %q", reason, errs.ToAggregate(), path, words)
}
