package builtin_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/receiver/provider/builtin"
)

func TestKindsAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range builtin.Kinds() {
		if seen[k.Type] {
			t.Errorf("%s is listed twice", k.Type)
		}
		seen[k.Type] = true
		if k.New == nil || k.Samples == nil || k.Sign == nil || k.Freshen == nil {
			t.Errorf("%s lacks a function or its samples", k.Type)
			continue
		}
		if samples, err := fs.Glob(k.Samples, "*.http"); err != nil || len(samples) == 0 {
			t.Errorf("%s has no samples: %v", k.Type, err)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for _, k := range builtin.Kinds() {
		if got, ok := builtin.Lookup(k.Type); !ok || got.Type != k.Type {
			t.Errorf("Lookup(%q) = %q, %v", k.Type, got.Type, ok)
		}
	}
	if _, ok := builtin.Lookup("Nobody"); ok {
		t.Error("a type that does not exist is found")
	}
}

// TestEveryFolderIsListed finds a provider's folder by its samples.
func TestEveryFolderIsListed(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("../*/samples")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(len(folders), len(builtin.Kinds())); diff != "" {
		t.Errorf("folders with samples and listed kinds differ:\n%s", diff)
	}
}

func TestEverySampleHasAGolden(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("../*/samples/*.http")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, s := range samples {
		base := filepath.Base(s)
		want = append(want, filepath.Join(filepath.Dir(filepath.Dir(s)), "testdata", base[:len(base)-len(".http")]+".golden.json"))
	}
	if got, err = filepath.Glob("../*/testdata/*.golden.json"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
		t.Errorf("samples and golden files differ:\n%s", diff)
	}
	for _, g := range got {
		if info, err := os.Stat(g); err != nil || info.Size() == 0 {
			t.Errorf("%s is empty: %v", g, err)
		}
	}
}
