package journaltest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
)

func appendPromises() []promise {
	return []promise{
		{"entries that are alike come back as they were", alike},
		{"an acknowledged entry survives a power cut", ackSurvivesCrash},
		{"an acknowledged entry survives a clean restart", ackSurvivesRestart},
		{"a duplicate is acknowledged only when the original is durable", duplicateAckIsDurable},
		{"a batch is counted and stored as a whole", batchIsWhole},
		{"the payload may be reused after Append", payloadIsCopied},
		{"many may append at once", concurrentAppends},
		{"a closed journal refuses appends", closedRefuses},
		{"a cancelled append returns the error of its context", cancelledAppend},
	}
}

func ackSurvivesCrash(t *testing.T, h Harness) {
	if h.Crash == nil {
		t.Skip("no crash")
	}
	j := h.Open(t)
	mustAppend(t, j, entries(0, 3, sinkA))
	h.Crash(t)
	j = h.Open(t)
	if diff := cmp.Diff(numbered(0, 3), payloads(fetchAll(t, j, sinkA, 3))); diff != "" {
		t.Error(diff)
	}
}

func ackSurvivesRestart(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 3, sinkA))
	mustClose(t, j)
	j = h.Open(t)
	got := fetchAll(t, j, sinkA, 3)
	if diff := cmp.Diff(numbered(0, 3), payloads(got)); diff != "" {
		t.Error(diff)
	}
	want := entry(1)
	if got[1].OrderingKey != want.OrderingKey || !got[1].AcceptedAt.Equal(want.AcceptedAt) {
		t.Errorf("delivery = %+v, want ordering key and time of %+v", got[1], want)
	}
}

func duplicateAckIsDurable(t *testing.T, h Harness) {
	if h.Crash == nil {
		t.Skip("no crash")
	}
	j := h.Open(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := j.Append(t.Context(), entries(0, 1, sinkA)); err != nil {
				t.Errorf("Append: %v", err)
			}
		})
	}
	wg.Wait()
	h.Crash(t)
	j = h.Open(t)
	if diff := cmp.Diff(numbered(0, 1), payloads(fetch(t, j, sinkA, 10))); diff != "" {
		t.Error(diff)
	}
}

func batchIsWhole(t *testing.T, h Harness) {
	j := h.Open(t)
	b := entries(0, 3, sinkA)
	b.Entries = append(b.Entries, entry(1, sinkA))
	b.DeadLetters = []journal.DeadLetter{letter(0)}
	want := journal.Receipt{Accepted: 3, Duplicates: 1, DeadLettered: 1}
	if got := mustAppend(t, j, b); got != want {
		t.Errorf("receipt = %+v, want %+v", got, want)
	}
	eventually(t, "the statistics count the batch", func() bool {
		s := j.Stats()
		return s.Pending[sinkA] == 3 && s.DeadLetters == 1
	})
}

func payloadIsCopied(t *testing.T, h Harness) {
	j := h.Open(t)
	b := entries(0, 1, sinkA)
	mustAppend(t, j, b)
	clear(b.Entries[0].Payload)
	got := fetch(t, j, sinkA, 1)
	if diff := cmp.Diff(numbered(0, 1), payloads(got)); diff != "" {
		t.Error(diff)
	}
}

func concurrentAppends(t *testing.T, h Harness) {
	const writers, each = 16, 25
	j := h.Open(t)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				if _, err := j.Append(t.Context(), entries(w*each+n, 1, sinkA, sinkB)); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	var seen [2]map[string]int
	for i, sink := range []string{sinkA, sinkB} {
		wg.Go(func() { seen[i] = drain(t, j, sink, writers*each) })
	}
	wg.Wait()
	for i := range seen {
		for n := range writers * each {
			if count := seen[i][fmt.Sprintf("payload-%d", n)]; count != 1 {
				t.Errorf("sink %d: entry %d was delivered %d times", i, n, count)
			}
		}
	}
}

// drain delivers count entries and returns how often it saw each.
func drain(t *testing.T, j journal.Journal, sink string, count int) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	seen := map[string]int{}
	for left := count; left > 0 && !t.Failed(); {
		deliveries, err := j.Queue(sink).Fetch(ctx, journal.Limit{Events: 7})
		if err != nil {
			t.Errorf("Fetch: %v", err)
		}
		for _, d := range deliveries {
			seen[string(d.Payload)]++
		}
		if err := j.Queue(sink).Settle(t.Context(), []journal.Settlement{{Deliveries: deliveries}}); err != nil {
			t.Errorf("Settle: %v", err)
		}
		left -= len(deliveries)
	}
	return seen
}

func closedRefuses(t *testing.T, h Harness) {
	j := h.Open(t)
	mustClose(t, j)
	if _, err := j.Append(t.Context(), entries(0, 1, sinkA)); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Append = %v, want ErrClosed", err)
	}
	if err := j.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func cancelledAppend(t *testing.T, h Harness) {
	j := h.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// The entry may have been stored before the cancellation was noticed; then there is no error.
	if _, err := j.Append(ctx, entries(0, 1, sinkA)); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Append = %v, want context.Canceled", err)
	}
	mustAppend(t, j, entries(0, 1, sinkA))
	if diff := cmp.Diff(numbered(0, 1), payloads(fetch(t, j, sinkA, 10))); diff != "" {
		t.Error(diff)
	}
}

// alike has entries that are worth to be compressed, among others that are not.
func alike(t *testing.T, h Harness) {
	j := h.Open(t)
	var want []string
	for n, b := range []journal.Batch{entries(0, 3, sinkA), entries(3, 200, sinkA), entries(203, 3, sinkA)} {
		b.Alike = n == 1
		for i := range b.Entries {
			if b.Alike {
				b.Entries[i].Payload = append([]byte(strings.Repeat("the same of all of them ", 50)), b.Entries[i].Payload...)
			}
			want = append(want, string(b.Entries[i].Payload))
		}
		mustAppend(t, j, b)
	}
	mustClose(t, j)
	j = h.Open(t)
	got := fetchAll(t, j, sinkA, len(want))
	if diff := cmp.Diff(want, payloads(got)); diff != "" {
		t.Error(diff)
	}
	delivered(t, j, sinkA, got[1:]...)
	if got[5].OrderingKey != "key-5" {
		t.Errorf("ordering key %q", got[5].OrderingKey)
	}
}
