package builtin_test

import (
	"testing"

	"github.com/mailvane/mailvane/internal/catalogue"
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
	for _, listed := range catalogue.Sinks() {
		if !seen[listed.Type] {
			t.Errorf("%s has no kind", listed.Type)
		}
	}
}
