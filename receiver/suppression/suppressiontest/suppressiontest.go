// Package suppressiontest holds the suite that every store of suppressions passes. The names of its subtests are the promises of a store.
package suppressiontest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/suppression"
)

// Harness gives the suite one store.
type Harness struct {
	// Open returns a client of the store; each has connections of its own.
	Open func(t *testing.T) suppression.Store
}

// Run runs the suite; newHarness makes a new store for each promise.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, Harness){
		"a row is found as it was merged":          isFound,
		"any order and any repetition is the same": isTheSame,
		"two pods at once lose nothing":            isConcurrent,
		"all rows are walked over":                 isWalked,
		"odd addresses are addresses":              takesOddAddresses,
		"a probe leaves nothing":                   probes,
		"nothing to do is done":                    doesNothing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, newHarness(t))
		})
	}
}

func epoch() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 678_000, time.UTC) }

// numbers returns the same numbers each time.
func numbers(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) } //nolint:gosec // They are no secret.

// changes returns n changes of few addresses, each with an id of its own.
func changes(random *rand.Rand, n int) []suppression.Change {
	all := make([]suppression.Change, n)
	for i := range all {
		all[i] = suppression.Change{
			Key: suppression.Key{
				Address: fmt.Sprintf("to%d@example.com", random.IntN(4)), Scope: []string{suppression.Everything, "list:1"}[random.IntN(2)],
				Class: suppression.Classes()[random.IntN(len(suppression.Classes()))],
			},
			At: epoch().Add(time.Duration(random.IntN(50)) * time.Minute), Releases: random.IntN(4) == 0,
			Origin: suppression.Origin{ID: fmt.Sprintf("%032x", i), Source: "/mailvane/mail/in", Provider: "Test", Event: "bounce", Reason: "550 5.1.1 no such user"},
		}
	}
	return all
}

// merged returns what the rows must be.
func merged(all []suppression.Change) []suppression.Row {
	rows := map[suppression.Key]*suppression.Row{}
	for i := range all {
		r := rows[all[i].Key]
		if r == nil {
			r = &suppression.Row{Address: all[i].Address, Scope: all[i].Scope, Class: all[i].Class}
			rows[all[i].Key] = r
		}
		r.Merge(&all[i])
	}
	var out []suppression.Row
	for _, r := range rows {
		out = append(out, *r)
	}
	sort(out)
	return out
}

func sort(rows []suppression.Row) {
	slices.SortFunc(rows, func(a, b suppression.Row) int {
		return strings.Compare(a.Address+"\x00"+a.Scope+"\x00"+string(a.Class), b.Address+"\x00"+b.Scope+"\x00"+string(b.Class))
	})
}

func walk(t *testing.T, s suppression.Store) (rows []suppression.Row) {
	t.Helper()
	if err := s.Walk(t.Context(), func(r suppression.Row) error {
		rows = append(rows, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	sort(rows)
	return rows
}

func apply(t *testing.T, s suppression.Store, all []suppression.Change) {
	t.Helper()
	if err := s.Apply(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}

func isFound(t *testing.T, h Harness) {
	s := h.Open(t)
	all := changes(numbers(1), 200)
	apply(t, s, all)
	var want []suppression.Row
	for _, r := range merged(all) {
		if r.Address == "to1@example.com" {
			want = append(want, r)
		}
	}
	got, err := s.Find(t.Context(), "to1@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := s.Find(t.Context(), "nobody@example.com"); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
}

func isTheSame(t *testing.T, h Harness) {
	s := h.Open(t)
	random := numbers(2)
	all := changes(random, 120)
	again := slices.Concat(all, all[:60])
	random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	for len(again) > 0 {
		n := min(1+random.IntN(25), len(again))
		apply(t, s, again[:n])
		again = again[n:]
	}
	if diff := cmp.Diff(merged(all), walk(t, s)); diff != "" {
		t.Error(diff)
	}
}

func isConcurrent(t *testing.T, h Harness) {
	all := changes(numbers(3), 400)
	stores := []suppression.Store{h.Open(t), h.Open(t)}
	var wg sync.WaitGroup
	for n := range 8 { // each has some of them alone, of all addresses: what is lost comes from nobody else
		var mine []suppression.Change
		for i := n; i < len(all); i += 8 {
			mine = append(mine, all[i])
		}
		wg.Go(func() {
			for chunk := range slices.Chunk(mine, 5) {
				if err := stores[n%2].Apply(t.Context(), chunk); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(merged(all), walk(t, stores[0])); diff != "" {
		t.Error(diff)
	}
}

var errEnough = errors.New("enough")

func isWalked(t *testing.T, h Harness) {
	s := h.Open(t)
	var all []suppression.Change
	for n := range 2500 {
		all = append(all, suppression.Change{
			Key: suppression.Key{Address: fmt.Sprintf("to%d@example.com", n), Scope: suppression.Everything, Class: suppression.Bounce}, At: epoch(), Origin: suppression.Origin{ID: "1"},
		})
	}
	for chunk := range slices.Chunk(all, 500) {
		apply(t, s, chunk)
	}
	if got := len(walk(t, s)); got != len(all) {
		t.Errorf("%d rows of %d", got, len(all))
	}
	seen := 0
	if err := s.Walk(t.Context(), func(suppression.Row) error {
		seen++
		return errEnough
	}); !errors.Is(err, errEnough) || seen != 1 {
		t.Errorf("%d rows, %v", seen, err)
	}
}

func takesOddAddresses(t *testing.T, h Harness) {
	s := h.Open(t)
	for n, address := range []string{`"a b"@example.com`, "a'; DROP TABLE x; --@example.com", "jürgen@example.com", "a*?[b]@example.com", "a\\b:{c}@example.com", strings.Repeat("x", 300) + "@example.com"} {
		c := suppression.Change{
			Key: suppression.Key{Address: address, Scope: "list:" + address, Class: suppression.Unsubscribe}, At: epoch(),
			Origin: suppression.Origin{ID: fmt.Sprint(n), Reason: "NUL \x00 and \xff"},
		}
		apply(t, s, []suppression.Change{c, c})
		rows, err := s.Find(t.Context(), address)
		if err != nil || len(rows) != 1 || rows[0].Address != address || rows[0].Count != 1 || rows[0].Scope != c.Scope {
			t.Errorf("%q: %+v, %v", address, rows, err)
		}
	}
}

func probes(t *testing.T, h Harness) {
	s := h.Open(t)
	if err := s.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if rows := walk(t, s); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
}

func doesNothing(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Apply(ctx, changes(numbers(4), 3)); err == nil {
		t.Error("a cancelled change is one")
	}
	if rows := walk(t, s); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
}
