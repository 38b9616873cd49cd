package manifest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/manifest"
	"github.com/mailvane/mailvane/controllers/render"
)

// FuzzLoad reads whatever a file may hold. Every problem names the file and a line in it.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/mistakes/*", quickstart + "/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds in %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	for _, seed := range []string{
		"apiVersion: mailvane.dev/v1alpha1\nkind: EventSink\nmetadata: null\nspec: null\n",
		"apiVersion: mailvane.dev/v1alpha1\nkind: EventSink\nmetadata: []\nspec: []\n",
		"apiVersion: mailvane.dev/v1alpha1\nkind: EventSink\nmetadata: {name: 5, namespace: {}}\nspec: {type: 1}\n",
		"apiVersion: mailvane.dev/v1alpha1\nkind: WebhookEndpoint\nmetadata: {name: a}\nspec: {provider: [], routes: {}, maxBodySize: {}}\n",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: 5}\ndata: []\n",
		"apiVersion: 5\nkind: []\n",
		"a: &a [*a]\n",
		"a: &a {b: *a}\n",
		"? [complex]\n: key\n",
		"<<: {kind: Secret}\napiVersion: v1\n",
	} {
		f.Add([]byte(seed))
	}
	loader, err := manifest.NewLoader()
	if err != nil {
		f.Fatal(err)
	}
	file := filepath.Join(f.TempDir(), "all.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		set, problems := loader.Load(t.Context(), file)
		_, between := set.Render(render.Checks{})
		for _, problem := range append(problems, between...) {
			if problem.File != file || problem.Line < 0 || problem.Message == "" {
				t.Errorf("problem without its place: %+v", problem)
			}
		}
	})
}
