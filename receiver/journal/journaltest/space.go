package journaltest

import (
	"errors"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/journal"
)

func spacePromises() []promise {
	return []promise{
		{"a full journal refuses, keeps what it has, and recovers when it is emptied", fullRecovers},
		{"dead letters can be dropped from a full journal", dropFromFull},
	}
}

// big returns an entry of 4 KiB that does not compress.
func big(n int, sinks ...string) journal.Entry {
	e := entry(n, sinks...)
	e.Payload = make([]byte, 4096)
	state := uint64(n)*2654435761 + 1
	for i := range e.Payload {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		e.Payload[i] = byte(state)
	}
	return e
}

// fill appends until the journal is full and returns how many entries it took.
func fill(t *testing.T, j journal.Journal, first int, sinks ...string) int {
	t.Helper()
	const most, batch = 100_000, 20
	for n := first; n < most; n += batch {
		var b journal.Batch
		for i := range batch {
			b.Entries = append(b.Entries, big(n+i, sinks...))
		}
		_, err := j.Append(t.Context(), b)
		if errors.Is(err, journal.ErrFull) {
			return n - first
		}
		if err != nil {
			t.Fatalf("Append: %v", err)
		}
	}
	t.Fatal("the journal never was full")
	return 0
}

func fullRecovers(t *testing.T, h Harness) {
	if h.OpenSmall == nil {
		t.Skip("no bound")
	}
	j := h.OpenSmall(t)
	next := 0
	for range 2 {
		count := fill(t, j, next, sinkA, sinkB)
		h.shows(t, "the statistics say that it is full", func() bool { return strings.Contains(j.Stats().Problem, "full") })
		h.shows(t, "the statistics count what was taken", func() bool { return j.Stats().Pending[sinkA] == int64(count) })
		for _, sink := range []string{sinkA, sinkB} {
			for left := count; left > 0; {
				got := fetch(t, j, sink, min(left, 500))
				delivered(t, j, sink, got...)
				left -= len(got)
			}
		}
		next += count
		eventually(t, "the journal takes entries again", func() bool {
			_, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{big(next, sinkA, sinkB)}})
			if err != nil && !errors.Is(err, journal.ErrFull) {
				t.Fatalf("Append: %v", err)
			}
			return err == nil
		})
		h.shows(t, "the statistics say that it is not full any more", func() bool { return j.Stats().Problem == "" })
		for _, sink := range []string{sinkA, sinkB} {
			delivered(t, j, sink, fetch(t, j, sink, 1)...)
		}
		next++
	}
}

func dropFromFull(t *testing.T, h Harness) {
	if h.OpenSmall == nil {
		t.Skip("no bound")
	}
	j := h.OpenSmall(t)
	mustAppend(t, j, letters(1))
	fill(t, j, 0, sinkA)
	dropped, err := j.DeadLetters().Drop(t.Context(), []uint64{list(t, j, 0, 1)[0].ID})
	if err != nil || dropped != 1 {
		t.Errorf("Drop = %d, %v, want 1", dropped, err)
	}
}
