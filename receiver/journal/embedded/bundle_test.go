package embedded

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
)

// written returns the bundles of a journal to which the payloads were appended as one batch.
func written(t *testing.T, payloads ...string) (bundles []bundle) {
	t.Helper()
	j, err := Open(Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	var b journal.Batch
	for _, p := range payloads {
		b.Entries = append(b.Entries, journal.Entry{OrderingKey: p[:1], Sinks: []string{"mail/a"}, Payload: []byte(p)})
	}
	if _, err := j.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	err = scan(j.db, []byte{tableEvents}, []byte{tableEvents + 1}, func(_, value []byte) (bool, error) {
		b, err := decodeBundle(bytes.Clone(value), nil)
		bundles = append(bundles, b)
		return true, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return bundles
}

func TestABundleIsBounded(t *testing.T) {
	t.Parallel()
	third := strings.Repeat("x", maxBundleBytes/3)
	for name, tc := range map[string]struct {
		payloads []string
		want     []int
	}{
		"by the number of events":     {slices.Repeat([]string{"x"}, 2*maxBundleEvents+1), []int{maxBundleEvents, maxBundleEvents, 1}},
		"by their size":               {slices.Repeat([]string{third}, 5), []int{2, 2, 1}},
		"but takes the largest event": {[]string{"a", strings.Repeat("b", 3*maxBundleBytes), "c"}, []int{1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var counts []int
			var events []string
			for _, b := range written(t, tc.payloads...) {
				counts = append(counts, len(b.events))
				for _, e := range b.events {
					events = append(events, string(e.payload))
					if e.orderingKey != string(e.payload[:1]) {
						t.Errorf("ordering key %q", e.orderingKey)
					}
				}
			}
			if !slices.Equal(events, tc.payloads) {
				t.Error("the events are others, or in another order")
			}
			if diff := cmp.Diff(tc.want, counts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzDecodeBundle reads what was never written: it must be an error, and no more events than a bundle may hold.
func FuzzDecodeBundle(f *testing.F) {
	f.Add([]byte{1, 1, 2, 5, 1, 1, 6, 0, 2, 'k', 'a', 'b', 'c'})
	f.Add([]byte{0, 0})
	f.Add([]byte{1, 1, 1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0})
	f.Fuzz(func(t *testing.T, value []byte) {
		b, err := decodeBundle(value, nil)
		if err != nil {
			return
		}
		if len(b.events) > maxBundleEvents {
			t.Errorf("%d events", len(b.events))
		}
		all := places(1)<<len(b.events) - 1
		if n := len(b.payloads(all)); n > len(value) {
			t.Errorf("%d bytes of %d", n, len(value))
		}
		b.sinks.without(1)
	})
}

// FuzzDecodeOwed holds what is read of any value against what is written of it.
func FuzzDecodeOwed(f *testing.F) {
	f.Add([]byte{3})
	f.Add((&owed{events: 1<<63 | 5, schedules: []schedule{{place: 63, when: when{2, 1_700_000_000_000}, attempts: 7}}}).encode())
	f.Fuzz(func(t *testing.T, value []byte) {
		o, err := decodeOwed(value)
		if err != nil {
			return
		}
		again, err := decodeOwed(o.encode())
		if err != nil || !slices.Equal(again.schedules, o.schedules) || again.events != o.events {
			t.Errorf("%+v became %+v, %v", o, again, err)
		}
	})
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	const p = places(0b1110_0111) | 1<<63
	var runs []places
	for run := range p.runs {
		runs = append(runs, run)
	}
	if want := []places{0b111, 0b1110_0000, 1 << 63}; !slices.Equal(runs, want) {
		t.Errorf("runs %b", runs)
	}
	if all := slices.Collect(p.all); !slices.Equal(all, []int{0, 1, 2, 5, 6, 7, 63}) || p.count() != len(all) {
		t.Errorf("%v, %d", all, p.count())
	}
	if placesFrom(64) != 0 || placesFrom(63) != 1<<63 {
		t.Error("placesFrom")
	}
	if n := sequenceOf(7, 63); bundleOf(n) != 7 || placeOf(n) != 63 || n+1 != sequenceOf(8, 0) {
		t.Errorf("sequence %d", n)
	}
}
