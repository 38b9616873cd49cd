package journaltest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
)

func schedulePromises() []promise {
	return []promise{
		{"a retry comes when it is due, not before", retryIsDue},
		{"a fetch that waits is woken by what falls due", dueWakes},
		{"what is due comes before what is new", dueBeforeNew},
		{"retries count as attempts", retriesCount},
		{"attempts are counted on after a restart", attemptsSurviveRestart},
		{"a deferral keeps order and counts no attempt", deferKeepsOrder},
		{"what was scheduled is due at once after a restart, before anything newer", scheduledAfterRestart},
		{"after a restart everything comes in the order in which it was appended, whatever time was set", restartOrder},
		{"a retry after a restart keeps its schedule", rescheduledAfterRestart},
		{"an earlier retry overtakes a later one", earlierRetry},
		{"what is appended while retries are due is delivered", appendsAmongRetries},
	}
}

func retryIsDue(t *testing.T, h Harness) {
	if h.Advance == nil {
		t.Skip("no clock")
	}
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA))
	retryAt(t, j, sinkA, time.Now().Add(time.Hour), fetch(t, j, sinkA, 1)...)
	wantNothing(t, j, sinkA)
	h.Advance(59 * time.Minute)
	wantNothing(t, j, sinkA)
	h.Advance(time.Minute)
	if diff := cmp.Diff(numbered(0, 1), payloads(fetch(t, j, sinkA, 1))); diff != "" {
		t.Error(diff)
	}
}

func dueWakes(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA))
	at := time.Now().Add(moment)
	retryAt(t, j, sinkA, at, fetch(t, j, sinkA, 1)...)
	fetch(t, j, sinkA, 1)
	if early := time.Until(at); early > time.Millisecond {
		t.Errorf("delivered %v too early", early)
	}
}

func dueBeforeNew(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 2, sinkA))
	retryAt(t, j, sinkA, d0, fetchAll(t, j, sinkA, 2)...)
	mustAppend(t, j, entries(2, 2, sinkA))
	if diff := cmp.Diff(numbered(0, 4), payloads(fetchAll(t, j, sinkA, 4))); diff != "" {
		t.Error(diff)
	}
}

func retriesCount(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA))
	for want := range 3 {
		got := fetch(t, j, sinkA, 1)
		if got[0].Attempts != want {
			t.Errorf("attempts = %d, want %d", got[0].Attempts, want)
		}
		retryAt(t, j, sinkA, d0, got...)
	}
}

func attemptsSurviveRestart(t *testing.T, h Harness) {
	if h.ForgetsAttempts {
		t.Skip("attempts are counted by one process at a time")
	}
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA))
	for range 3 {
		retryAt(t, j, sinkA, d0, fetch(t, j, sinkA, 1)...)
	}
	mustClose(t, j)
	j = h.Open(t)
	if got := fetch(t, j, sinkA, 1); got[0].Attempts != 3 {
		t.Errorf("attempts after a restart = %d, want 3", got[0].Attempts)
	}
}

func deferKeepsOrder(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 5, sinkA))
	got := fetchAll(t, j, sinkA, 5)
	at := time.Now()
	for _, i := range []int{3, 0, 4, 1, 2} {
		settle(t, j, sinkA, journal.Settlement{Outcome: journal.Defer, At: at}, got[i])
	}
	again := fetchAll(t, j, sinkA, 5)
	if diff := cmp.Diff(numbered(0, 5), payloads(again)); diff != "" {
		t.Error(diff)
	}
	for _, d := range again {
		if d.Attempts != 0 {
			t.Errorf("attempts = %d, want 0", d.Attempts)
		}
	}
}

func scheduledAfterRestart(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 3, sinkA))
	got := fetchAll(t, j, sinkA, 2)
	retryAt(t, j, sinkA, time.Now().Add(time.Hour), got...)
	mustClose(t, j)
	j = h.Open(t)
	if diff := cmp.Diff(numbered(0, 3), payloads(fetchAll(t, j, sinkA, 3))); diff != "" {
		t.Error(diff)
	}
}

func restartOrder(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 6, sinkA))
	got := fetchAll(t, j, sinkA, 4)
	for i, hours := range []int{3, 1, 4, 2} {
		retryAt(t, j, sinkA, time.Now().Add(time.Duration(hours)*time.Hour), got[i])
	}
	mustClose(t, j)
	j = h.Open(t)
	if diff := cmp.Diff(numbered(0, 6), payloads(fetchAll(t, j, sinkA, 6))); diff != "" {
		t.Error(diff)
	}
}

func rescheduledAfterRestart(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 3, sinkA))
	retryAt(t, j, sinkA, time.Now().Add(time.Hour), fetchAll(t, j, sinkA, 3)...)
	mustClose(t, j)
	j = h.Open(t)
	retryAt(t, j, sinkA, time.Now().Add(2*time.Hour), fetch(t, j, sinkA, 1)...)
	if diff := cmp.Diff(numbered(1, 2), payloads(fetchAll(t, j, sinkA, 2))); diff != "" {
		t.Error(diff)
	}
	wantNothing(t, j, sinkA)
}

func earlierRetry(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 3, sinkA))
	got := fetchAll(t, j, sinkA, 3)
	retryAt(t, j, sinkA, time.Now(), got[2])
	fetch(t, j, sinkA, 1)
	retryAt(t, j, sinkA, time.Now().Add(-time.Minute), got[0], got[1])
	if diff := cmp.Diff(numbered(0, 2), payloads(fetchAll(t, j, sinkA, 2))); diff != "" {
		t.Error(diff)
	}
}

// appendsAmongRetries tries each entry twice while others are appended.
func appendsAmongRetries(t *testing.T, h Harness) {
	const writers, each = 8, 25
	j := h.Open(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				if _, err := j.Append(ctx, entries(w*each+n, 1, sinkA)); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	for left := writers * each; left > 0; {
		deliveries, err := j.Queue(sinkA).Fetch(ctx, journal.Limit{Events: 50})
		if err != nil {
			t.Fatalf("%d entries were not delivered twice: %v", left, err)
		}
		for _, d := range deliveries {
			if d.Attempts == 0 {
				retryAt(t, j, sinkA, d0, d)
				continue
			}
			delivered(t, j, sinkA, d)
			left--
		}
	}
}
