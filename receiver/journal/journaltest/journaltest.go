// Package journaltest holds the suite that every implementation of [journal.Journal] passes. The names of its subtests
// are the promises of the journal.
package journaltest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

// Harness gives the suite one storage, which is empty at first. A field that is nil stands for something that the
// implementation cannot do; the promises that need it are skipped.
type Harness struct {
	// Open opens the storage; what an earlier journal stored is there. One journal is open at a time. Required.
	Open func(t *testing.T) journal.Journal
	// Crash ends the open journal and its storage as hard as the implementation's tests can, a power cut at best: what is not
	// on stable storage is gone. Open may follow.
	Crash func(t *testing.T)
	// Advance moves the journal's clock forward.
	Advance func(d time.Duration)
	// DedupeWindow is the window that the journal was configured with.
	DedupeWindow time.Duration
	// ForgetsAttempts says that attempts are counted anew after a restart. Storing each would cost what storing the event did,
	// and they only decide how long to wait and how many events to send together.
	ForgetsAttempts bool
	// Lags says that the storage is another process's: what is seen of it may be a moment old, and a fetch may bring fewer entries
	// than are due. Everywhere else the suite takes nothing but what is true at once.
	Lags bool
	// OpenSmall opens the storage with a bound that a few thousand entries of 4 KiB reach.
	OpenSmall func(t *testing.T) journal.Journal
}

// promise is one test of the suite.
type promise struct {
	name  string
	check func(t *testing.T, h Harness)
}

// Run runs the suite; newHarness makes a new storage for each promise.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	var promises []promise
	for _, group := range [][]promise{appendPromises(), dedupePromises(), queuePromises(), schedulePromises(), deadLetterPromises(), spacePromises()} {
		promises = append(promises, group...)
	}
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.check(t, newHarness(t))
		})
	}
}

const (
	sinkA = "mail/a"
	sinkB = "mail/b"
	// patience bounds every wait for something that must happen.
	patience = 30 * time.Second
	// moment is how long the suite watches that something does not happen.
	moment = 50 * time.Millisecond
)

// entry returns the n-th entry of a test, with a dedupe key of its own.
func entry(n int, sinks ...string) journal.Entry {
	id := strconv.Itoa(n)
	return journal.Entry{
		DedupeKeys:  []string{"event-" + id},
		OrderingKey: "key-" + id,
		Sinks:       sinks,
		AcceptedAt:  time.UnixMilli(int64(1_700_000_000_000 + n)).UTC(),
		Payload:     []byte("payload-" + id),
	}
}

func entries(first, count int, sinks ...string) journal.Batch {
	var b journal.Batch
	for n := first; n < first+count; n++ {
		b.Entries = append(b.Entries, entry(n, sinks...))
	}
	return b
}

func mustAppend(t *testing.T, j journal.Journal, b journal.Batch) journal.Receipt {
	t.Helper()
	receipt, err := j.Append(t.Context(), b)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return receipt
}

// fetch returns what one Fetch returns; there must be something.
func fetch(t *testing.T, j journal.Journal, sink string, limit int) []journal.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	deliveries, err := j.Queue(sink).Fetch(ctx, journal.Limit{Events: limit})
	if err != nil {
		t.Fatalf("Fetch(%s): %v", sink, err)
	}
	return deliveries
}

// fetchAll fetches until count deliveries are leased.
func fetchAll(t *testing.T, j journal.Journal, sink string, count int) []journal.Delivery {
	t.Helper()
	var all []journal.Delivery
	for len(all) < count {
		all = append(all, fetch(t, j, sink, count-len(all))...)
	}
	return all
}

// wantNothing checks that nothing is due.
func wantNothing(t *testing.T, j journal.Journal, sink string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), moment)
	defer cancel()
	deliveries, err := j.Queue(sink).Fetch(ctx, journal.Limit{Events: 10})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Fetch(%s) = %v, %v, want nothing", sink, payloads(deliveries), err)
	}
}

// settle settles the deliveries as s says.
func settle(t *testing.T, j journal.Journal, sink string, s journal.Settlement, deliveries ...journal.Delivery) {
	t.Helper()
	s.Deliveries = deliveries
	if err := j.Queue(sink).Settle(t.Context(), []journal.Settlement{s}); err != nil {
		t.Fatalf("Settle(%s): %v", sink, err)
	}
}

func delivered(t *testing.T, j journal.Journal, sink string, deliveries ...journal.Delivery) {
	t.Helper()
	settle(t, j, sink, journal.Settlement{Outcome: journal.Delivered}, deliveries...)
}

func retryAt(t *testing.T, j journal.Journal, sink string, at time.Time, deliveries ...journal.Delivery) {
	t.Helper()
	settle(t, j, sink, journal.Settlement{Outcome: journal.Retry, At: at}, deliveries...)
}

func payloads(deliveries []journal.Delivery) []string {
	list := make([]string, len(deliveries))
	for i, d := range deliveries {
		list[i] = string(d.Payload)
	}
	return list
}

// numbered returns the payloads of count entries.
func numbered(first, count int) []string {
	list := make([]string, count)
	for i := range list {
		list[i] = fmt.Sprintf("payload-%d", first+i)
	}
	return list
}

func mustClose(t *testing.T, j journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// shows checks what a journal says of itself after something was done: at once, but for one that lags.
func (h Harness) shows(t *testing.T, what string, check func() bool) {
	t.Helper()
	if h.Lags {
		eventually(t, what, check)
	} else if !check() {
		t.Errorf("not at once: %s", what)
	}
}

// eventually waits until check holds.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !check() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
}
