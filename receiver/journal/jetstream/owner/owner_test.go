package owner

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	t.Parallel()
	name := NewName("queue", "instance", "process")
	if again := NewName("queue", "instance", "process"); again == name {
		t.Error("a name comes again")
	}
	o, ok := Parse(name)
	if want := (Owner{Name: name, Queue: "queue", Instance: "instance", Process: "process"}); !ok || o != want {
		t.Errorf("%+v, %v, want %+v", o, ok, want)
	}
	for _, other := range []string{"", "look", "a=b=c", "a=b=c=d=e", strings.Repeat("=", 100)} {
		if o, ok := Parse(other); ok {
			t.Errorf("%q is a name of ours: %+v", other, o)
		}
	}
}

// TestGone asks processes that answer, that are silent, and that nobody is there to answer for.
func TestGone(t *testing.T) {
	t.Parallel()
	const silentFor = 3 * time.Second
	type answer struct{ answered, nobody bool }
	silent, nobody, there := answer{}, answer{nobody: true}, answer{answered: true}
	for name, test := range map[string]struct {
		instance string // of this process
		other    string // instance of the other
		answers  []answer
		after    []time.Duration // since the first
		want     bool
	}{
		"it answers":                            {"a", "b", []answer{there, there, there, there, there}, []time.Duration{0, 1e9, 2e9, 3e9, 9e9}, false},
		"often and long silent":                 {"a", "b", []answer{silent, nobody, silent, silent}, []time.Duration{0, 1e9, 2e9, 3e9}, true},
		"often, in a moment":                    {"a", "b", []answer{silent, silent, silent, silent, silent, silent}, []time.Duration{0, 1, 2, 3, 4, 5}, false},
		"long, asked a few times":               {"a", "b", []answer{silent, silent, silent}, []time.Duration{0, 10e9, 20e9}, false},
		"it answers between":                    {"a", "b", []answer{silent, silent, silent, there, silent}, []time.Duration{0, 1e9, 2e9, 3e9, 4e9}, false},
		"it had this place, and nobody answers": {"a", "a", []answer{nobody}, []time.Duration{0}, true},
		"it had this place, and is silent":      {"a", "a", []answer{silent}, []time.Duration{0}, false},
		"this process has no place":             {"", "", []answer{nobody}, []time.Duration{0}, false},
	} {
		began := time.Unix(1000, 0)
		now := began
		p := NewPresence("this", test.instance, silentFor, func() time.Time { return now })
		owners := map[string]Owner{
			"q1": {Queue: "q1", Instance: test.other, Process: "other"}, "q2": {Queue: "q2", Instance: test.other, Process: "other"},
			"q3": {Queue: "q3", Instance: test.instance, Process: "this"},
		}
		var gone map[string]bool
		for n, a := range test.answers {
			now = began.Add(test.after[n])
			asked := 0
			gone = p.Gone(t.Context(), owners, func(_ context.Context, process string) (bool, bool) {
				if asked++; process != "other" || asked > 1 {
					t.Errorf("%s: %s is asked, %d times", name, process, asked)
				}
				return a.answered, a.nobody
			})
		}
		if gone["other"] != test.want || gone["this"] {
			t.Errorf("%s: %v, want %v", name, gone, test.want)
		}
	}
}

// TestWhoOwnsNothingIsForgotten has a process own nothing for a while: it begins anew then.
func TestWhoOwnsNothingIsForgotten(t *testing.T) {
	t.Parallel()
	p := NewPresence("this", "", 0, func() time.Time { return time.Unix(1, 0) })
	silent := func(context.Context, string) (bool, bool) { return false, false }
	others := map[string]Owner{"q": {Process: "other"}}
	for range missedProbes - 1 {
		p.Gone(t.Context(), others, silent)
	}
	p.Gone(t.Context(), nil, silent)
	if gone := p.Gone(t.Context(), others, silent); gone["other"] {
		t.Errorf("%v: silences before it owned nothing are counted", gone)
	}
	var mu sync.Mutex
	asked := map[string]bool{}
	many := map[string]Owner{"a": {Process: "1"}, "b": {Process: "2"}, "c": {Process: "3"}}
	p.Gone(t.Context(), many, func(_ context.Context, process string) (bool, bool) {
		mu.Lock()
		defer mu.Unlock()
		asked[process] = true
		return true, false
	})
	if diff := cmp.Diff(map[string]bool{"1": true, "2": true, "3": true}, maps.Clone(asked)); diff != "" {
		t.Error(diff)
	}
}
