package builtin_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mailvane/mailvane/receiver/sink/builtin"
)

func TestKindsAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range builtin.Kinds() {
		if seen[k.Type] || k.New == nil {
			t.Errorf("%s is listed twice or lacks a function", k.Type)
		}
		seen[k.Type] = true
		if got, ok := builtin.Lookup(k.Type); !ok || got.Type != k.Type {
			t.Errorf("Lookup(%s) = %v, %t", k.Type, got.Type, ok)
		}
	}
	if _, ok := builtin.Lookup("Nowhere"); ok {
		t.Error("Lookup finds what is not there")
	}
	folders, err := filepath.Glob("../*sink")
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) != len(seen) {
		t.Errorf("there are the folders %v and %d kinds", folders, len(seen))
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, filepath.Base(folder)+".go")); err != nil {
			t.Error(err)
		}
	}
}
