package journaltest

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
)

func dedupePromises() []promise {
	return []promise{
		{"a duplicate within one batch is dropped", duplicateInBatch},
		{"of concurrent duplicates one is accepted", duplicateConcurrently},
		{"a duplicate is recognised after a restart", duplicateAfterRestart},
		{"a duplicate is recognised after its event was delivered", duplicateAfterDelivery},
		{"any one key makes a duplicate", duplicateByAnyKey},
		{"an entry without keys is never a duplicate", neverDuplicate},
		{"an entry that is owed to no sink keeps its keys", keysWithoutSinks},
		{"a duplicate is dropped throughout the window", duplicateInsideWindow},
		{"outside the window an entry is accepted again", acceptedOutsideWindow},
	}
}

func wantReceipt(t *testing.T, j journal.Journal, b journal.Batch, want journal.Receipt) {
	t.Helper()
	if got := mustAppend(t, j, b); got != want {
		t.Errorf("receipt = %+v, want %+v", got, want)
	}
}

func duplicateInBatch(t *testing.T, h Harness) {
	j := h.Open(t)
	b := journal.Batch{Entries: []journal.Entry{entry(0, sinkA), entry(0, sinkA), entry(1, sinkA)}}
	wantReceipt(t, j, b, journal.Receipt{Accepted: 2, Duplicates: 1})
	if diff := cmp.Diff(numbered(0, 2), payloads(fetchAll(t, j, sinkA, 2))); diff != "" {
		t.Error(diff)
	}
	wantNothing(t, j, sinkA)
}

func duplicateConcurrently(t *testing.T, h Harness) {
	const distinct, copies = 20, 8
	j := h.Open(t)
	var accepted, duplicates atomic.Int64
	var wg sync.WaitGroup
	for range copies {
		wg.Go(func() {
			for n := range distinct {
				receipt, err := j.Append(t.Context(), entries(n, 1, sinkA))
				if err != nil {
					t.Errorf("Append: %v", err)
				}
				accepted.Add(int64(receipt.Accepted))
				duplicates.Add(int64(receipt.Duplicates))
			}
		})
	}
	wg.Wait()
	if a, d := accepted.Load(), duplicates.Load(); a != distinct || d != distinct*(copies-1) {
		t.Errorf("accepted %d and dropped %d, want %d and %d", a, d, distinct, distinct*(copies-1))
	}
}

func duplicateAfterRestart(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA))
	mustClose(t, j)
	j = h.Open(t)
	wantReceipt(t, j, entries(0, 2, sinkA), journal.Receipt{Accepted: 1, Duplicates: 1})
}

func duplicateAfterDelivery(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA))
	delivered(t, j, sinkA, fetch(t, j, sinkA, 1)...)
	wantReceipt(t, j, entries(0, 1, sinkA), journal.Receipt{Duplicates: 1})
	wantNothing(t, j, sinkA)
}

func duplicateByAnyKey(t *testing.T, h Harness) {
	j := h.Open(t)
	first, second := entry(0, sinkA), entry(1, sinkA)
	first.DedupeKeys = []string{"x", "y"}
	second.DedupeKeys = []string{"z", "y"}
	wantReceipt(t, j, journal.Batch{Entries: []journal.Entry{first}}, journal.Receipt{Accepted: 1})
	wantReceipt(t, j, journal.Batch{Entries: []journal.Entry{second}}, journal.Receipt{Duplicates: 1})
}

func neverDuplicate(t *testing.T, h Harness) {
	j := h.Open(t)
	e := entry(0, sinkA)
	e.DedupeKeys = nil
	wantReceipt(t, j, journal.Batch{Entries: []journal.Entry{e, e}}, journal.Receipt{Accepted: 2})
	wantReceipt(t, j, journal.Batch{Entries: []journal.Entry{e}}, journal.Receipt{Accepted: 1})
}

func keysWithoutSinks(t *testing.T, h Harness) {
	j := h.Open(t)
	wantReceipt(t, j, entries(0, 1), journal.Receipt{Accepted: 1})
	wantReceipt(t, j, entries(0, 1, sinkA), journal.Receipt{Duplicates: 1})
	if pending := j.Stats().Pending[sinkA]; pending != 0 {
		t.Errorf("pending = %d, want 0", pending)
	}
}

func duplicateInsideWindow(t *testing.T, h Harness) {
	if h.Advance == nil {
		t.Skip("no clock")
	}
	const steps = 10
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA))
	for range steps - 1 {
		h.Advance(h.DedupeWindow / steps)
		wantReceipt(t, j, entries(0, 1, sinkA), journal.Receipt{Duplicates: 1})
	}
}

func acceptedOutsideWindow(t *testing.T, h Harness) {
	if h.Advance == nil {
		t.Skip("no clock")
	}
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA))
	h.Advance(2 * h.DedupeWindow) // an implementation may forget as late as that
	wantReceipt(t, j, entries(0, 1, sinkA), journal.Receipt{Accepted: 1})
}
