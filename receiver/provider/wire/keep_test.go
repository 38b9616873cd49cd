package wire_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// TestWhatIsKeptIsBounded holds the metadata and the details of an event to a number and to a size.
func TestWhatIsKeptIsBounded(t *testing.T) {
	t.Parallel()
	const maxKept, maxKeptBytes = 256, 64 << 10
	for what, keep := range map[string]struct {
		set func(*event.Event, string, string)
		get func(*event.Event) map[string]string
	}{
		"metadata": {wire.SetMetadata, func(e *event.Event) map[string]string { return e.Metadata }},
		"details":  {wire.SetDetail, func(e *event.Event) map[string]string { return e.Details }},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var all, many, large event.Event
			for i := range maxKept {
				keep.set(&all, strconv.Itoa(i), "v")
			}
			keep.set(&all, "0", "changed")
			keep.set(&all, "none", "")
			if got := keep.get(&all); len(got) != maxKept || got["0"] != "changed" || all.Truncated {
				t.Errorf("%d values, truncated %v, want all and the first one changed", len(got), all.Truncated)
			}
			for i := range maxKept + 1 {
				keep.set(&many, strconv.Itoa(i), "v")
			}
			if got := keep.get(&many); len(got) != maxKept || !many.Truncated {
				t.Errorf("%d values, truncated %v, want %d and a mark", len(got), many.Truncated, maxKept)
			}
			keep.set(&large, "a", strings.Repeat("x", maxKeptBytes-1))
			if large.Truncated {
				t.Error("what fits exactly is cut")
			}
			keep.set(&large, "b", "y")
			if got := keep.get(&large); len(got) != 1 || !large.Truncated {
				t.Errorf("%d values, truncated %v, want one and a mark", len(got), large.Truncated)
			}
		})
	}
}
