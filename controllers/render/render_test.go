package render_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/internal/admission"
	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden renders every testdata/*.in.yaml. The configuration is in *.config.json, what is wrong in *.problems.txt.
func TestGolden(t *testing.T) {
	t.Parallel()

	inputs, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		name := strings.TrimSuffix(input, ".in.yaml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()

			in := readInput(t, input)
			in.Checks = render.Checks{Filter: checkFilter, Provider: checkProvider}
			got, problems := render.Render(in)
			data, err := json.MarshalIndent(got, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, problem := range problems {
				text.WriteString(problem.String() + " (" + problem.Reason + ")\n")
			}
			parsed, err := config.Parse(data)
			if err != nil {
				t.Errorf("a receiver refuses the configuration: %v", err)
			} else if diff := cmp.Diff(&got, parsed, compactSettings()); diff != "" {
				t.Errorf("a receiver reads something else (-want +got):\n%s", diff)
			}
			compareGolden(t, name+".config.json", string(data)+"\n")
			compareGolden(t, name+".problems.txt", text.String())
		})
	}
}

// TestTheProblemOfARouteIsBounded has a long error with a character of several bytes where it is cut, and one that is no text.
func TestTheProblemOfARouteIsBounded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"long": strings.Repeat("é", 4000), "no text": "\xff"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := readInput(t, "testdata/problems.in.yaml")
			in.Checks = render.Checks{Filter: func(string) error { return errors.New(text) }}
			c, _ := render.Render(in)
			problem := c.Endpoints[0].Routes[0].Problem
			if len(problem) > 1024 || len(problem) < min(len(text), 1000) {
				t.Errorf("%d bytes", len(problem))
			}
			if _, err := config.Encode(&c); err != nil {
				t.Errorf("the configuration cannot be written: %v", err)
			}
		})
	}
}

// compactSettings compares settings without their white space.
func compactSettings() cmp.Option {
	return cmp.Transformer("compact", func(raw json.RawMessage) string {
		var b bytes.Buffer
		if err := json.Compact(&b, raw); err != nil {
			return string(raw)
		}
		return b.String()
	})
}

func checkFilter(filter string) error {
	if strings.Contains(filter, "evnt") {
		return errors.New("undeclared reference to 'evnt'")
	}
	return nil
}

func checkProvider(p config.Plugin) error {
	if bytes.Contains(p.Settings, []byte("not base64")) {
		return errors.New("publicKeys[0].key: not an Ed25519 public key")
	}
	return nil
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()

	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// readInput reads objects as a cluster holds them: admitted, with their defaults.
func readInput(t *testing.T, path string) render.Input {
	t.Helper()

	schemas, err := admission.New()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]map[string][]byte{}
	in := render.Input{Secret: func(namespace, name string) (map[string][]byte, bool) {
		data, found := secrets[namespace+"/"+name]
		return data, found
	}}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		object := decode(t, document)
		gvk := v1alpha1.GroupVersion().WithKind(object["kind"].(string))
		if gvk.Kind != "Secret" {
			if review := schemas.Create(t.Context(), gvk, object); !review.OK() {
				t.Fatalf("%s: %v\n%s", path, review, document)
			}
		}
		switch gvk.Kind {
		case v1alpha1.WebhookEndpointKind:
			in.Endpoints = append(in.Endpoints, *convert[v1alpha1.WebhookEndpoint](t, object))
		case v1alpha1.EventSinkKind:
			in.Sinks = append(in.Sinks, *convert[v1alpha1.EventSink](t, object))
		case "Secret":
			secret := convert[corev1.Secret](t, object)
			secrets[secret.Namespace+"/"+secret.Name] = secretData(secret)
		}
	}
	return in
}

func decode(t *testing.T, document string) map[string]any {
	t.Helper()

	data, err := yaml.YAMLToJSONStrict([]byte(document))
	if err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	var object map[string]any
	if err := utiljson.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func convert[T any](t *testing.T, object map[string]any) *T {
	t.Helper()

	var typed T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &typed, true); err != nil {
		t.Fatal(err)
	}
	return &typed
}

func secretData(secret *corev1.Secret) map[string][]byte {
	data := map[string][]byte{}
	for key, value := range secret.StringData {
		data[key] = []byte(value)
	}
	maps.Copy(data, secret.Data)
	return data
}

// TestOrderDoesNotMatter renders the same objects in two orders.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()

	in := readInput(t, "testdata/problems.in.yaml")
	want, wantProblems := render.Render(in)
	reverse(in.Endpoints)
	reverse(in.Sinks)
	got, gotProblems := render.Render(in)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantProblems, gotProblems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func reverse[T any](list []T) {
	swap := reflect.Swapper(list)
	for i := range len(list) / 2 {
		swap(i, len(list)-1-i)
	}
}

// TestOlderEndpointKeepsItsPath gives one path to three endpoints; names alone would decide otherwise.
func TestOlderEndpointKeepsItsPath(t *testing.T) {
	t.Parallel()

	endpoint := func(name string, created int64) v1alpha1.WebhookEndpoint {
		return v1alpha1.WebhookEndpoint{
			ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: name, CreationTimestamp: metav1.Unix(created, 0)},
			Spec:       v1alpha1.WebhookEndpointSpec{Path: "/hooks/one", Provider: v1alpha1.Provider{Type: v1alpha1.EmailEngine}},
		}
	}
	c, problems := render.Render(render.Input{Endpoints: []v1alpha1.WebhookEndpoint{endpoint("a", 30), endpoint("b", 10), endpoint("c", 10)}})
	if len(c.Endpoints) != 1 || c.Endpoints[0].Name != "b" {
		t.Errorf("endpoints: got %v, want b alone", c.Endpoints)
	}
	var losers []string
	for _, problem := range problems {
		if problem.Reason == v1alpha1.ReasonPathConflict {
			losers = append(losers, problem.Object.Name)
		}
	}
	if diff := cmp.Diff([]string{"a", "c"}, losers); diff != "" {
		t.Errorf("losers (-want +got):\n%s", diff)
	}
}

// TestSecretReferences names every Secret of the objects with all their members set, and no other.
func TestSecretReferences(t *testing.T) {
	t.Parallel()

	in := readInput(t, "testdata/everything.in.yaml")
	var named []string
	for i := range in.Endpoints {
		named = append(named, render.EndpointSecrets(&in.Endpoints[i])...)
	}
	for i := range in.Sinks {
		named = append(named, render.SinkSecrets(&in.Sinks[i])...)
	}
	slices.Sort(named)
	var asked []string
	secret := in.Secret
	in.Secret = func(namespace, name string) (map[string][]byte, bool) {
		asked = append(asked, name)
		return secret(namespace, name)
	}
	render.Render(in)
	slices.Sort(asked)
	if diff := cmp.Diff(slices.Compact(asked), slices.Compact(named)); diff != "" {
		t.Errorf("(-asked for +named):\n%s", diff)
	}
}

// TestEveryKindHasAMember makes sure that the settings of each provider and sink are found by its name.
func TestEveryKindHasAMember(t *testing.T) {
	t.Parallel()

	members := func(union reflect.Type) []string {
		var names []string
		for field := range union.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			names = append(names, name)
		}
		return names
	}
	for _, p := range catalogue.Providers() {
		if !slices.Contains(members(reflect.TypeFor[v1alpha1.Provider]()), p.Member()) {
			t.Errorf("%s has no member %s", p.Type, p.Member())
		}
	}
	for _, s := range catalogue.Sinks() {
		if !slices.Contains(members(reflect.TypeFor[v1alpha1.EventSinkSpec]()), s.Member()) {
			t.Errorf("%s has no member %s", s.Type, s.Member())
		}
	}
}
