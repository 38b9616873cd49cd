package wire_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// TestFanOutIsBoundedForAllItems takes what copies may take with one item. Another then has no room for copies, and needs none to
// stay one event.
func TestFanOutIsBoundedForAllItems(t *testing.T) {
	t.Parallel()
	var f wire.FanOut
	raw := make([]byte, 1<<20)
	for _, item := range []struct {
		events int
		want   bool
	}{{65, false}, {64, true}, {2, false}, {1, true}} {
		if got := f.Allows(raw, item.events); got != item.want {
			t.Errorf("%d events of an item of 1 MiB: %v", item.events, got)
		}
	}
}
