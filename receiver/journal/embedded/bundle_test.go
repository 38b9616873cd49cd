package embedded

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// written returns the bundles of a journal to which the payloads were appended as one batch.
func written(t *testing.T, payloads ...string) (bundles []format.Bundle) {
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
	err = store.Scan(j.db, []byte{format.TableEvents}, []byte{format.TableEvents + 1}, func(_, value []byte) (bool, error) {
		b, err := format.DecodeBundle(bytes.Clone(value), nil)
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
	third := strings.Repeat("x", format.MaxBundleBytes/3)
	for name, tc := range map[string]struct {
		payloads []string
		want     []int
	}{
		"by the number of events":     {slices.Repeat([]string{"x"}, 2*format.MaxBundleEvents+1), []int{format.MaxBundleEvents, format.MaxBundleEvents, 1}},
		"by their size":               {slices.Repeat([]string{third}, 5), []int{2, 2, 1}},
		"but takes the largest event": {[]string{"a", strings.Repeat("b", 3*format.MaxBundleBytes), "c"}, []int{1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var counts []int
			var events []string
			for _, b := range written(t, tc.payloads...) {
				counts = append(counts, len(b.Events))
				for _, e := range b.Events {
					events = append(events, string(e.Payload))
					if e.OrderingKey != string(e.Payload[:1]) {
						t.Errorf("ordering key %q", e.OrderingKey)
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
