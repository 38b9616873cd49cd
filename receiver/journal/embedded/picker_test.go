package embedded

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
)

// TestWhatIsAppendedDuringALookIsNotPassedOver appends between the look at what is due, for which bundles are read, and the one at
// what is new.
func TestWhatIsAppendedDuringALookIsNotPassedOver(t *testing.T) {
	t.Parallel()
	j, err := Open(Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	q := j.queues.get(j, leaseSink)
	appendLetters(t, j, 'A')
	first := fetchLetters(t, j)
	if err := q.Settle(t.Context(), []journal.Settlement{{Deliveries: first, Outcome: journal.Retry}}); err != nil {
		t.Fatal(err)
	}
	p := picker{q: q, db: j.db, limit: journal.Limit{Events: 100}, now: format.ToMillis(j.opts.Now()), durable: j.durable.Load()}
	if err := p.due(); err != nil || len(p.deliveries) != 20 {
		t.Fatalf("%d are due, %v, want 20", len(p.deliveries), err)
	}
	appendLetters(t, j, 'a')
	if err := p.fresh(); err != nil {
		t.Fatal(err)
	}
	if err := p.bundles.Close(); err != nil {
		t.Fatal(err)
	}
	if len(p.deliveries) == 20 {
		p.deliveries = append(p.deliveries, fetchLetters(t, j)...)
	}
	if last := p.deliveries[len(p.deliveries)-1]; last.Payload[0] != 'a'+19 {
		t.Errorf("the last delivery begins with %q", last.Payload[0])
	}
}
