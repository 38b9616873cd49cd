package record

import (
	"testing"
	"time"
)

// TestEveryRefusalIsKeptOrCounted sends more than are kept, also while there is no room, and by a clock that is set back.
func TestEveryRefusalIsKeptOrCounted(t *testing.T) {
	t.Parallel()
	s := newSampler()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	sent, known := 0, 0
	send := func(n int, at time.Time, room bool) (kept int) {
		for range n {
			sent++
			if more, ok := s.take("mail/ee", at, room); ok {
				kept++
				known += 1 + more
			}
		}
		return kept
	}
	if n := send(25, at, true); n != sampleSize {
		t.Errorf("%d of a minute are kept, want %d", n, sampleSize)
	}
	if n := send(3, at.Add(sampleWindow), false); n != 0 {
		t.Errorf("%d are kept without room", n)
	}
	if n := send(1, at.Add(sampleWindow), true); n != 1 || known != sent {
		t.Errorf("of %d refusals %d are known once there is room", sent, known)
	}
	if n := send(1, at.Add(-time.Hour), true); n != 1 {
		t.Error("a clock that was set back keeps refusals out")
	}
	if _, kept := s.take("mail/other", at, true); !kept {
		t.Error("one endpoint keeps another's out")
	}
}
