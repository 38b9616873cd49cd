package builtin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/internal/catalogue"
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
		if k.New == nil {
			t.Errorf("%s lacks a function", k.Type)
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

// TestKindsAreThoseOfTheCatalogue makes sure that each kind has the name of its entry.
func TestKindsAreThoseOfTheCatalogue(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, p := range catalogue.Providers() {
		want = append(want, p.Type)
	}
	for _, k := range builtin.Kinds() {
		got = append(got, k.Type)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-catalogue +kinds:\n%s", diff)
	}
}

func TestEverySampleHasAGolden(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("../../../internal/simulate/*/samples/*.http")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, s := range samples {
		folder := filepath.Base(filepath.Dir(filepath.Dir(s)))
		want = append(want, filepath.Join("..", folder, "testdata", strings.TrimSuffix(filepath.Base(s), ".http")+".golden.json"))
	}
	got, err := filepath.Glob("../*/testdata/*.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("samples and golden files differ:\n%s", diff)
	}
	for _, g := range got {
		if info, err := os.Stat(g); err != nil || info.Size() == 0 {
			t.Errorf("%s is empty: %v", g, err)
		}
	}
}
