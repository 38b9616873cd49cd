package manifest_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/manifest"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const quickstart = "../../../../config/samples/quickstart"

func newLoader(t *testing.T) *manifest.Loader {
	t.Helper()

	loader, err := manifest.NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	return loader
}

func filterCheck(filter string) error {
	if strings.Contains(filter, "evnt") {
		return errors.New("undeclared reference to 'evnt'")
	}
	return nil
}

// TestMistakes reads a folder full of mistakes and expects every one of them, at its place.
func TestMistakes(t *testing.T) {
	t.Parallel()

	set, problems := newLoader(t).Load(t.Context(), "testdata/mistakes")
	c, between := set.Render(render.Checks{Filter: filterCheck})
	for _, e := range c.Endpoints {
		if e.State != config.Unavailable || len(e.Routes) > 0 {
			t.Errorf("an endpoint with mistakes would work: %v", e)
		}
	}
	var text strings.Builder
	all := append(problems, between...)
	manifest.SortProblems(all) // as they are shown
	for _, problem := range all {
		text.WriteString(problem.String() + "\n")
	}
	golden := "testdata/mistakes.golden.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if strings.Contains(text.String(), "hunter2") {
		t.Error("a problem repeats a password")
	}
}

// TestQuickstart reads the samples of the quickstart, which have an endpoint of every provider and no mistake.
func TestQuickstart(t *testing.T) {
	t.Parallel()

	set, problems := newLoader(t).Load(t.Context(), quickstart)
	c, between := set.Render(render.Checks{})
	for _, problem := range append(problems, between...) {
		t.Error(problem)
	}
	paths := make([]string, len(c.Endpoints))
	for i, endpoint := range c.Endpoints {
		paths[i] = endpoint.Path
	}
	var want []string
	for _, p := range catalogue.Providers() {
		want = append(want, "/hooks/mail/"+p.Folder())
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	if len(c.Sinks) != 2 {
		t.Errorf("sinks: got %d, want 2", len(c.Sinks))
	}
	if _, found := set.Secret("mail", "mailchannels-demo-signing-key"); !found {
		t.Error("the Secret of the demo's signing key is not in the set")
	}
}

func TestLoadPath(t *testing.T) {
	t.Parallel()

	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(empty, "deployment.yaml"), []byte("apiVersion: apps/v1\nkind: Deployment\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		reason string
		path   string
		want   string
	}{
		"one file":  {"a file can be named itself", quickstart + "/sinks.yaml", ""},
		"missing":   {"what is not there is named", empty + "/nowhere", "no such file or directory"},
		"not a one": {"a folder without our objects is the wrong folder", empty, "there is no WebhookEndpoint"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, problems := newLoader(t).Load(t.Context(), tc.path)
			if tc.want == "" && len(problems) == 0 {
				return
			}
			if len(problems) != 1 || tc.want == "" || !strings.Contains(problems[0].String(), tc.want) {
				t.Errorf("%s: got %v, want %q", tc.reason, problems, tc.want)
			}
		})
	}
}

// TestDefaultNamespace reads objects that do not name their namespace.
func TestDefaultNamespace(t *testing.T) {
	t.Parallel()

	file := filepath.Join(t.TempDir(), "all.yaml")
	text := `apiVersion: v1
kind: Secret
metadata: {name: keys}
data: {key: b2xk}
stringData: {key: new}
---
apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {name: console}
spec: {type: Stdout}
--- # the endpoint
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: one}
spec:
  provider: {type: EngageLab, engageLab: {appKeyRefs: [{name: keys, key: key}], bodyIntegrity: None}}
  routes: [{name: all, sinkRef: {name: console}}]
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, problems := newLoader(t).Load(t.Context(), file)
	c, between := set.Render(render.Checks{})
	if len(problems)+len(between) != 0 || len(c.Endpoints) != 1 {
		t.Fatalf("got %v %v %v, want one endpoint and no problem", c.Endpoints, problems, between)
	}
	if got := c.Endpoints[0].Path; got != "/hooks/default/one" {
		t.Errorf("path: got %s, want /hooks/default/one", got)
	}
	want := `{"appKeys":["new"],"bodyIntegrity":"None","signatureAlgorithm":"Auto","toleranceSeconds":86400}`
	if got := string(c.Endpoints[0].Provider.Settings); got != want {
		t.Errorf("settings: got %s, want %s: stringData wins over data", got, want)
	}
}

// TestOneMistakeDoesNotHideAnother expects what is wrong between objects beside what is wrong with one of them.
func TestOneMistakeDoesNotHideAnother(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	text := `apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: one, namespace: mail}
spec:
  provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: [{name: nobody, key: x}]}}
  verificaton: Enforce
  maxBodySize: 1Gi
  routes: [{name: all, sinkRef: {name: missing}, filter: evnt}]
`
	if err := os.WriteFile(filepath.Join(folder, "one.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, problems := newLoader(t).Load(t.Context(), folder)
	c, between := set.Render(render.Checks{Filter: filterCheck})
	var all strings.Builder
	for _, problem := range append(problems, between...) {
		all.WriteString(problem.String() + "\n")
	}
	for _, field := range []string{"spec.verificaton", "spec.maxBodySize", "serviceSecretRefs[0]", "sinkRef.name", "routes[0].filter"} {
		if !strings.Contains(all.String(), field) {
			t.Errorf("nothing about %s:\n%s", field, all.String())
		}
	}
	if len(c.Endpoints) != 0 {
		t.Error("an endpoint with mistakes is in the configuration")
	}
}
