package children_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/controllers/render/children"
)

// TestEnvironment renders variables in one order, whatever the map's is, so that nothing replaces the pods; and none by itself.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	r := children.Receiver{Namespace: "mail", Name: children.Name}
	o := children.Options{Image: "mailvane.example.com/mailvane:v1", Environment: map[string]string{"OTEL_C": "3", "OTEL_A": "1", "OTEL_B": ""}}
	first := text(t, r.Render(o))
	for range 20 {
		if text(t, r.Render(o)) != first {
			t.Fatal("rendered twice, two templates")
		}
	}
	a, b, c := strings.Index(first, "name: OTEL_A"), strings.Index(first, "name: OTEL_B"), strings.Index(first, "name: OTEL_C")
	if a < 0 || b < a || c < b || !strings.Contains(first, "value: \"1\"") {
		t.Errorf("%d %d %d", a, b, c)
	}
	if o.Environment = nil; strings.Contains(text(t, r.Render(o)), "env:") {
		t.Error("an environment of nothing")
	}
}
