package crd_test

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/test/controlplane"
)

var cluster controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(cluster.Run(m))
}

// TestDefinitionsAreEstablished checks that the API server takes the definitions. It refuses schemas that are not structural, defaults
// that are not valid themselves, and CEL rules that do not compile or could cost too much; its words are then the failure of whichever
// test starts it.
func TestDefinitionsAreEstablished(t *testing.T) {
	t.Parallel()

	api := cluster.Client(t)
	definitions, err := controlplane.Definitions()
	if err != nil || len(definitions) != 2 {
		t.Fatalf("definitions: got %v, %v, want 2", definitions, err)
	}
	for _, definition := range definitions {
		var stored apiextensionsv1.CustomResourceDefinition
		if err := api.Get(t.Context(), client.ObjectKeyFromObject(definition), &stored); err != nil {
			t.Fatal(err)
		}
		got := map[apiextensionsv1.CustomResourceDefinitionConditionType]apiextensionsv1.ConditionStatus{}
		for _, condition := range stored.Status.Conditions {
			got[condition.Type] = condition.Status
		}
		// There is no condition NonStructuralSchema, nor one that says that an approval is missing.
		want := map[apiextensionsv1.CustomResourceDefinitionConditionType]apiextensionsv1.ConditionStatus{
			apiextensionsv1.Established:   apiextensionsv1.ConditionTrue,
			apiextensionsv1.NamesAccepted: apiextensionsv1.ConditionTrue,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: conditions (-want +got):\n%s", definition.Name, diff)
		}
	}
}

func discover(t *testing.T) *discovery.DiscoveryClient {
	t.Helper()

	api, err := discovery.NewDiscoveryClientForConfig(cluster.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// TestResources checks the names that people type.
// TestDefinitionsFitIntoAnAnnotation holds the definitions below what kubectl apply, which keeps the whole object in an annotation, can
// write without --server-side: the API server takes 256 KiB of annotations.
func TestDefinitionsFitIntoAnAnnotation(t *testing.T) {
	t.Parallel()

	const limit = 240 << 10 // which leaves room for labels and annotations of others
	definitions, err := controlplane.Definitions()
	if err != nil || len(definitions) == 0 {
		t.Fatalf("%d definitions, %v", len(definitions), err)
	}
	for _, definition := range definitions {
		text, err := json.Marshal(definition)
		if err != nil || len(text) > limit {
			t.Errorf("%s: %d bytes, %v; shorten descriptions, or generate with maxDescLen", definition.Name, len(text), err)
		}
	}
}

func TestResources(t *testing.T) {
	t.Parallel()

	resources, err := discover(t).ServerResourcesForGroupVersion(v1alpha1.GroupVersion().String())
	if err != nil {
		t.Fatal(err)
	}
	type resource struct {
		Namespaced             bool
		ShortNames, Categories []string
	}
	got := map[string]resource{}
	for _, r := range resources.APIResources {
		got[r.Name] = resource{Namespaced: r.Namespaced, ShortNames: r.ShortNames, Categories: r.Categories}
	}
	want := map[string]resource{
		"webhookendpoints":        {Namespaced: true, ShortNames: []string{"whe"}, Categories: []string{"mailvane"}},
		"webhookendpoints/status": {Namespaced: true},
		"eventsinks":              {Namespaced: true, ShortNames: []string{"esink"}, Categories: []string{"mailvane"}},
		"eventsinks/status":       {Namespaced: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

// schema is what matters here of a schema that an API server publishes.
type schema struct {
	Description string
	Properties  map[string]*schema
	Items       *schema
}

// TestEveryFieldIsDescribed checks what "kubectl explain" reads.
func TestEveryFieldIsDescribed(t *testing.T) {
	t.Parallel()

	text := publishedSchemas(t)
	var document struct {
		Components struct{ Schemas map[string]*schema }
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{v1alpha1.WebhookEndpointKind, v1alpha1.EventSinkKind} {
		top := document.Components.Schemas["dev.mailvane.v1alpha1."+kind]
		if top == nil {
			t.Fatalf("no schema of %s", kind)
		}
		// A number that no kind of ours is below: the fields were looked at.
		if fields := checkDescriptions(t, kind, top); fields < 30 {
			t.Errorf("%s: looked at %d fields, want all of them", kind, fields)
		}
	}
}

// publishedSchemas returns the document of Mailvane's kinds that the API server publishes, which it does a moment after it takes them.
func publishedSchemas(t *testing.T) []byte {
	t.Helper()

	const within, askAgainEvery = time.Minute, 100 * time.Millisecond
	api := discover(t).OpenAPIV3()
	var text []byte
	err := wait.PollUntilContextTimeout(t.Context(), askAgainEvery, within, true, func(context.Context) (bool, error) {
		paths, err := api.Paths()
		if err != nil {
			return false, err
		}
		group := paths["apis/"+v1alpha1.GroupVersion().String()]
		if group == nil {
			return false, nil
		}
		text, err = group.Schema("application/json")
		return true, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checkDescriptions returns how many fields the schema has.
func checkDescriptions(t *testing.T, path string, s *schema) int {
	t.Helper()

	if s.Description == "" {
		t.Errorf("%s has no description", path)
	}
	inner := s
	if s.Items != nil {
		// What a list holds is described by the list.
		inner, path = s.Items, path+"[]"
	}
	fields := len(inner.Properties)
	for name, property := range inner.Properties {
		fields += checkDescriptions(t, path+"."+name, property)
	}
	return fields
}

// TestColumns checks what "kubectl get -o wide" prints of the objects of all kinds.
func TestColumns(t *testing.T) {
	t.Parallel()

	api, namespace := cluster.Client(t), cluster.Namespace(t)
	meta := metav1.ObjectMeta{Name: "test", Namespace: namespace}
	conditions := []metav1.Condition{{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReconciled, LastTransitionTime: metav1.Now(),
	}}
	sink := &v1alpha1.EventSink{ObjectMeta: meta, Spec: v1alpha1.EventSinkSpec{Type: v1alpha1.SinkStdout}}
	endpoint := &v1alpha1.WebhookEndpoint{ObjectMeta: meta, Spec: v1alpha1.WebhookEndpointSpec{
		Provider: v1alpha1.Provider{
			Type:        v1alpha1.EmailEngine,
			EmailEngine: &v1alpha1.EmailEngineProvider{ServiceSecretRefs: []v1alpha1.SecretKeyReference{{Name: "a", Key: "b"}}},
		},
		Routes: []v1alpha1.Route{{Name: "all", SinkRef: v1alpha1.SinkReference{Name: "test"}}},
	}}
	for _, object := range []client.Object{sink, endpoint} {
		if err := api.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	connected := metav1.Condition{
		Type: v1alpha1.ConditionConnected, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonCredentialRefused, LastTransitionTime: metav1.Now(),
	}
	sink.Status.Conditions, endpoint.Status.Conditions = append(slices.Clone(conditions), connected), conditions
	endpoint.Status.URL = "https://hooks.example.com/hooks/mail/test"
	for _, object := range []client.Object{sink, endpoint} {
		if err := api.Status().Update(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}

	var got [][]string
	for line := range strings.Lines(cluster.Kubectl(t, "get", "mailvane", "--namespace", namespace, "-o", "wide")) {
		cells := strings.Fields(line)
		if len(cells) != 0 && strings.HasSuffix(cells[0], "/test") {
			// The age, the last one, is whatever it is.
			cells = cells[:len(cells)-1]
		}
		got = append(got, cells)
	}
	want := [][]string{
		{"NAME", "TYPE", "READY", "CONNECTED", "REASON", "AGE"},
		{"eventsink.mailvane.dev/test", "Stdout", "True", "False", "Reconciled"},
		nil,
		{"NAME", "PROVIDER", "READY", "REASON", "URL", "STATE", "AGE"},
		{"webhookendpoint.mailvane.dev/test", "EmailEngine", "True", "Reconciled", "https://hooks.example.com/hooks/mail/test", "Active"},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}
