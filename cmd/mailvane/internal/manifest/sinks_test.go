package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/settings/builtin"
)

// TestSinkSamples reads the sample of each sink as users do, and has what becomes of it checked as a receiver does.
func TestSinkSamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../../config/samples/sinks/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		set, problems := newLoader(t).Load(t.Context(), file)
		c, between := set.Render(render.Checks{})
		for _, problem := range append(problems, between...) {
			t.Errorf("%s: %v", file, problem)
		}
		if len(c.Sinks) != 1 {
			t.Errorf("%s: %d sinks", file, len(c.Sinks))
		}
		for _, s := range c.Sinks {
			check, ok := builtin.Lookup(builtin.Sinks(), s.Kind.Type)
			if !ok {
				t.Fatalf("%s: no sink %s", file, s.Kind.Type)
			}
			if err := check.Validate(s.Kind.Settings, settings.Environment{FileSinks: true}); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// TestPagesOfSinks reads the manifests on the pages of sinks: an API server would take each. The Secrets that they name are the reader's.
func TestPagesOfSinks(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../../../docs/sinks/*.md")
	if err != nil || len(pages) < 4 {
		t.Fatal(pages, err)
	}
	manifests := regexp.MustCompile("(?s)```yaml\n(apiVersion:.*?)```")
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range manifests.FindAllSubmatch(text, -1) {
			file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.yaml", i))
			if err := os.WriteFile(file, m[1], 0o600); err != nil {
				t.Fatal(err)
			}
			set, problems := newLoader(t).Load(t.Context(), file)
			_, between := set.Render(render.Checks{})
			for _, problem := range append(problems, between...) {
				if said := fmt.Sprint(problem); !strings.Contains(said, "Secret") {
					t.Errorf("%s, manifest %d: %s", filepath.Base(page), i+1, said)
				}
			}
		}
	}
}
