package embedded

import (
	"bytes"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
)

const leaseSink = "mail/sink"

// appendLetters stores as many events as fill most of a bundle, each a row of its letter.
func appendLetters(t *testing.T, j *Journal, first byte) {
	t.Helper()
	var b journal.Batch
	for n := range byte(20) {
		b.Entries = append(b.Entries, journal.Entry{Sinks: []string{leaseSink}, Payload: bytes.Repeat([]byte{first + n}, 3000)})
	}
	if _, err := j.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func fetchLetters(t *testing.T, j *Journal) []journal.Delivery {
	t.Helper()
	deliveries, err := j.Queue(leaseSink).Fetch(t.Context(), journal.Limit{Events: 20})
	if err != nil || len(deliveries) != 20 {
		t.Fatalf("Fetch = %d deliveries, %v, want 20", len(deliveries), err)
	}
	return deliveries
}

// TestALateSettlementEndsNoOtherLease settles what was leased before the storage failed, after it was leased anew.
func TestALateSettlementEndsNoOtherLease(t *testing.T) {
	t.Parallel()
	j, err := Open(Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	appendLetters(t, j, 'A')
	before := fetchLetters(t, j)
	q := j.queues.get(j, leaseSink)
	q.rewind() // as a repair does
	again := fetchLetters(t, j)
	if err := q.Settle(t.Context(), []journal.Settlement{{Deliveries: before}}); err != nil {
		t.Fatal(err)
	}
	if pending := q.pending.Load(); pending != 20 {
		t.Errorf("%d are owed after the late settlement, want 20", pending)
	}
	appendLetters(t, j, 'a')
	fetchLetters(t, j)
	for n := range again {
		if want := bytes.Repeat([]byte{'A' + byte(n)}, 3000); !bytes.Equal(again[n].Payload, want) {
			t.Errorf("payload %d is %.5q while it is leased, want %.5q", n, again[n].Payload, want)
		}
	}
	if err := q.Settle(t.Context(), []journal.Settlement{{Deliveries: again}}); err != nil || q.pending.Load() != 20 {
		t.Errorf("Settle = %v, and %d are owed, want 20", err, q.pending.Load())
	}
}

func TestPayloadMemoryIsUsedAgain(t *testing.T) {
	t.Parallel()
	j, err := Open(Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	const rounds = 200
	used := map[*byte]bool{}
	for range rounds {
		appendLetters(t, j, 'A')
		deliveries := fetchLetters(t, j)
		used[&deliveries[0].Payload[0]] = true
		if err := j.Queue(leaseSink).Settle(t.Context(), []journal.Settlement{{Deliveries: deliveries}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(used) > 1 {
		t.Errorf("%d leases one after the other had memory at %d places", rounds, len(used))
	}
}
