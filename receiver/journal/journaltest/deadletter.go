package journaltest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
)

func deadLetterPromises() []promise {
	return []promise{
		{"dead letters are listed oldest first without payloads", listDeadLetters},
		{"a dead letter is returned whole", getDeadLetter},
		{"a dropped dead letter is gone for good", dropDeadLetter},
		{"a batch resolves the dead letters that it replaces", resolveDeadLetter},
		{"a dead letter with a dedupe key is stored once", duplicateDeadLetter},
		{"a dead delivery becomes a dead letter with its payload", deadDelivery},
		{"dead letter ids are not used again", idsGrow},
		{"the reason of a dead letter is bounded, whatever it is made of", boundReason},
	}
}

func letter(n int) journal.DeadLetter {
	return journal.DeadLetter{
		Cause: journal.CauseUndecodable, Reason: fmt.Sprintf("reason %d", n), Endpoint: "mail/endpoint", Route: "all",
		EventID: "id", At: time.UnixMilli(int64(1_900_000_000_000 + n)).UTC(), Header: map[string]string{"Content-Type": "application/json"},
		Payload: fmt.Appendf(nil, "raw-%d", n),
	}
}

func letters(count int) journal.Batch {
	var b journal.Batch
	for n := range count {
		b.DeadLetters = append(b.DeadLetters, letter(n))
	}
	return b
}

func list(t *testing.T, j journal.Journal, after uint64, limit int) []journal.DeadLetter {
	t.Helper()
	got, err := j.DeadLetters().List(t.Context(), after, limit)
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	return got
}

func reasons(list []journal.DeadLetter) []string {
	var all []string
	for _, d := range list {
		all = append(all, d.Reason)
	}
	return all
}

func listDeadLetters(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, letters(3))
	first := list(t, j, 0, 2)
	if diff := cmp.Diff([]string{"reason 0", "reason 1"}, reasons(first)); diff != "" {
		t.Fatal(diff)
	}
	if first[0].Payload != nil {
		t.Errorf("payload = %q, want none", first[0].Payload)
	}
	if diff := cmp.Diff([]string{"reason 2"}, reasons(list(t, j, first[1].ID, 2))); diff != "" {
		t.Error(diff)
	}
}

func getDeadLetter(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, letters(1))
	id := list(t, j, 0, 1)[0].ID
	mustClose(t, j)
	j = h.Open(t)
	got, err := j.DeadLetters().Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	want := letter(0)
	want.ID = id
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := j.DeadLetters().Get(t.Context(), id+1); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("Get of another = %v, want ErrNotFound", err)
	}
}

func dropDeadLetter(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, letters(3))
	all := list(t, j, 0, 10)
	dropped, err := j.DeadLetters().Drop(t.Context(), []uint64{all[0].ID, all[2].ID, all[2].ID, all[2].ID + 100})
	if err != nil || dropped != 2 {
		t.Errorf("Drop = %d, %v, want 2", dropped, err)
	}
	h.shows(t, "the statistics count one", func() bool { return j.Stats().DeadLetters == 1 })
	if h.Crash != nil {
		h.Crash(t)
	} else {
		mustClose(t, j)
	}
	j = h.Open(t)
	h.shows(t, "one is listed", func() bool { return cmp.Equal([]string{"reason 1"}, reasons(list(t, j, 0, 10))) })
	eventually(t, "the statistics count what is left", func() bool { return j.Stats().DeadLetters == 1 })
}

func resolveDeadLetter(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, letters(2))
	b := entries(0, 1, sinkA)
	b.Resolves = []uint64{list(t, j, 0, 1)[0].ID}
	wantReceipt(t, j, b, journal.Receipt{Accepted: 1})
	h.shows(t, "the resolved one is not listed", func() bool { return cmp.Equal([]string{"reason 1"}, reasons(list(t, j, 0, 10))) })
	h.shows(t, "the statistics count one", func() bool { return j.Stats().DeadLetters == 1 })
}

func duplicateDeadLetter(t *testing.T, h Harness) {
	j := h.Open(t)
	d := letter(0)
	d.DedupeKey = "body"
	b := journal.Batch{DeadLetters: []journal.DeadLetter{d, d}}
	wantReceipt(t, j, b, journal.Receipt{DeadLettered: 1, Duplicates: 1})
	wantReceipt(t, j, b, journal.Receipt{Duplicates: 2})
	if n := len(list(t, j, 0, 10)); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}

func deadDelivery(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA, sinkB))
	retryAt(t, j, sinkA, d0, fetch(t, j, sinkA, 1)...)
	d := letter(7)
	d.Cause, d.Payload = journal.CauseRefused, nil
	s := journal.Settlement{Deliveries: fetch(t, j, sinkA, 1), Outcome: journal.Dead, DeadLetter: &d}
	if err := j.Queue(sinkA).Settle(t.Context(), []journal.Settlement{s}); err != nil {
		t.Fatalf("Settle: %v", err)
	}
	wantNothing(t, j, sinkA)
	got, err := j.DeadLetters().Get(t.Context(), list(t, j, 0, 1)[0].ID)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	d.ID, d.Sink, d.Attempts, d.Payload = got.ID, sinkA, 2, []byte("payload-0")
	if diff := cmp.Diff(d, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(numbered(0, 1), payloads(fetch(t, j, sinkB, 1))); diff != "" {
		t.Errorf("the other sink: %s", diff)
	}
	h.shows(t, "the statistics count the dead letter alone", func() bool {
		s := j.Stats()
		return s.Pending[sinkA] == 0 && s.DeadLetters == 1
	})
}

func boundReason(t *testing.T, h Harness) {
	j := h.Open(t)
	d := letter(0)
	d.Reason = strings.Repeat("\x1b[31m\xff\n", 100_000)
	wantReceipt(t, j, journal.Batch{DeadLetters: []journal.DeadLetter{d}}, journal.Receipt{DeadLettered: 1})
	if got := list(t, j, 0, 1)[0].Reason; got != journal.Reason(d.Reason) || len(got) > journal.MaxReasonBytes {
		t.Errorf("%d bytes: %.80q", len(got), got)
	}
}

func idsGrow(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, letters(2))
	last := list(t, j, 0, 10)[1].ID
	if _, err := j.DeadLetters().Drop(t.Context(), []uint64{last}); err != nil {
		t.Fatalf("Drop: %v", err)
	}
	mustClose(t, j)
	j = h.Open(t)
	mustAppend(t, j, letters(1))
	h.shows(t, "a later id is listed, and none that was dropped", func() bool {
		all := list(t, j, last-1, 10)
		return len(all) == 1 && all[0].ID > last
	})
}
