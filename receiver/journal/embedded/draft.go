package embedded

import (
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
)

// maxDraftKeys is more than a group of single events writes.
const maxDraftKeys = 512

// draft is what is known of a group until it is complete. The memory is that of the group before.
type draft struct {
	// keys are the dedupe keys that the group writes, and resolved the dead letters that it removes: neither can be
	// seen in the store yet.
	keys     map[journal.KeyHash]struct{}
	resolved map[uint64]struct{}
	// bundle holds the events that are not in the batch yet, and owed those of them that each sink is owed.
	bundle format.BundleWriter
	owed   map[*queue]format.EventSet
	debts  []format.Debt // scratch
}

func (d *draft) reset() {
	if d.keys == nil || len(d.keys)+len(d.resolved) > maxDraftKeys { // a large map takes long to clear, also when it is empty
		d.keys, d.resolved = map[journal.KeyHash]struct{}{}, map[uint64]struct{}{}
	}
	if d.owed == nil {
		d.owed = map[*queue]format.EventSet{}
	}
	clear(d.keys)
	clear(d.resolved)
	d.dropBundle()
}

// addEvent takes an event into the bundle.
func (d *draft) addEvent(e *pendingEntry) {
	one := format.SetOf(d.bundle.Add(&e.Event, e.alike))
	for _, q := range e.sinks {
		d.owed[q] |= one
	}
}

// dropBundle forgets the events that are not in the batch yet.
func (d *draft) dropBundle() {
	d.bundle.Reset()
	clear(d.owed)
}
