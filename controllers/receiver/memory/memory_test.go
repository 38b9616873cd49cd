package memory_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/mailvane/mailvane/controllers/receiver/memory"
)

type known struct{ passes int }

// TestNamespaces has passes over many namespaces at a time, of which one is forgotten.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	var namespaces memory.Namespaces[known]
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for range 10 {
				namespaces.Of(fmt.Sprint(i)).passes++
			}
		})
	}
	group.Wait()
	namespaces.Forget("3")
	namespaces.Forget("never seen")
	for i := range 16 {
		want := 10
		if i == 3 {
			want = 0
		}
		if got := namespaces.Of(fmt.Sprint(i)).passes; got != want {
			t.Errorf("namespace %d: %d passes, want %d", i, got, want)
		}
	}
}

// TestReceiversThatComeBack wants what is known of a receiver to end with it.
func TestReceiversThatComeBack(t *testing.T) {
	t.Parallel()
	var receivers memory.Receivers[known]
	for _, step := range []struct {
		reason string
		names  []string
		passes map[string]int // after this one
	}{
		{"they are new", []string{"a", "b"}, map[string]int{"a": 1, "b": 1}},
		{"one has gone", []string{"a"}, map[string]int{"a": 2}},
		{"it comes back as another one", []string{"a", "b"}, map[string]int{"a": 3, "b": 1}},
		{"all have gone", nil, nil},
		{"", []string{"a"}, map[string]int{"a": 1}},
	} {
		retained := receivers.Retain(step.names)
		if len(retained) != len(step.passes) {
			t.Errorf("%s: %d are known", step.reason, len(retained))
		}
		for name, want := range step.passes {
			retained[name].passes++
			if retained[name].passes != want {
				t.Errorf("%s: %s has %d passes, want %d", step.reason, name, retained[name].passes, want)
			}
		}
	}
}
