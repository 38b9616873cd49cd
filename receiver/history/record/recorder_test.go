package record_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/history/historytest"
	"github.com/mailvane/mailvane/receiver/history/record"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// store notes what it is given.
type store struct {
	history.Store

	mu      sync.Mutex
	fail    error
	batches []history.Batch
	closed  bool
}

func (s *store) Append(_ context.Context, b history.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.batches = append(s.batches, b)
	return nil
}

func (s *store) Stats() history.Stats { return history.Stats{} }

func (s *store) Close() error {
	s.closed = true
	return nil
}

func (s *store) failWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func (s *store) kept() (events []history.Event, attempts []history.Attempt, refusals []history.Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.batches {
		events, attempts, refusals = append(events, b.Events...), append(attempts, b.Attempts...), append(refusals, b.Refusals...)
	}
	return events, attempts, refusals
}

// world is a recorder between a journal and a store, in a bubble of fake time.
type world struct {
	*testing.T

	journal  *embedded.Journal
	store    *store
	recorder *record.Recorder
}

func run(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, err := embedded.Open(embedded.Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, journal: j, store: &store{}}
		w.recorder = record.New(record.Options{Journal: j, Store: w.store, Logger: slog.New(slog.DiscardHandler)})
		w.recorder.Start(t.Context())
		test(w)
		if err := errors.Join(w.recorder.Stop(t.Context()), j.Close()); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) append(n int, sinks ...string) {
	w.Helper()
	e := historytest.Event(n, nil)
	entry := journal.Entry{AcceptedAt: time.Now(), Payload: e.Payload, Sinks: append(sinks, journal.History)}
	if _, err := w.journal.Append(w.Context(), journal.Batch{Entries: []journal.Entry{entry}}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) owed() int64 { return w.journal.Stats().Pending[journal.History] }

func (w *world) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestEverythingThatIsOwedIsKept(t *testing.T) {
	run(t, func(w *world) {
		w.append(0)
		w.append(1, "mail/crm")
		w.append(2, "mail/crm", "mail/archive")
		w.wait(time.Second)
		events, _, _ := w.store.kept()
		if len(events) != 3 || w.owed() != 0 {
			w.Fatalf("%d events are kept, %d are owed", len(events), w.owed())
		}
		for i, want := range []string{"", "mail/crm", "mail/archive mail/crm"} {
			if got := strings.Join(events[i].Sinks, " "); got != want || events[i].SinksUnknown {
				w.Errorf("event %d is owed to %q", i, got)
			}
		}
	})
}

// TestAHistoryThatFailsHoldsEventsForAMinute and lets them go then, so that they fill no journal; what follows is let go at once, until it
// works again.
func TestAHistoryThatFailsHoldsEventsForAMinute(t *testing.T) {
	run(t, func(w *world) {
		w.store.failWith(errors.New("broken"))
		w.append(0)
		w.wait(30 * time.Second)
		if w.owed() != 1 || w.recorder.Stats().Missed != 0 {
			w.Errorf("%d are owed after half a minute", w.owed())
		}
		w.wait(40 * time.Second)
		if s := w.recorder.Stats(); w.owed() != 0 || s.Missed != 1 || !strings.Contains(s.Problem, "broken") {
			w.Errorf("%d are owed, %+v", w.owed(), s)
		}
		w.append(1)
		w.wait(time.Second)
		if s := w.recorder.Stats(); w.owed() != 0 || s.Missed != 2 {
			w.Errorf("%d are owed, %+v", w.owed(), s)
		}
		w.store.failWith(nil)
		w.append(2)
		w.wait(time.Second)
		if events, _, _ := w.store.kept(); len(events) != 1 || w.recorder.Problem() != "" {
			w.Errorf("%d events, %q", len(events), w.recorder.Problem())
		}
	})
}

func TestAHistoryThatFailsForAMomentMissesNothing(t *testing.T) {
	run(t, func(w *world) {
		w.store.failWith(errors.New("broken"))
		w.append(0)
		w.wait(10 * time.Second)
		w.store.failWith(nil)
		w.wait(10 * time.Second)
		if events, _, _ := w.store.kept(); len(events) != 1 || w.recorder.Stats().Missed != 0 {
			w.Errorf("%d events, %+v", len(events), w.recorder.Stats())
		}
	})
}

func TestAFullDiskHoldsNothing(t *testing.T) {
	run(t, func(w *world) {
		w.store.failWith(history.ErrFull)
		w.append(0)
		w.wait(time.Second)
		if w.owed() != 0 || w.recorder.Stats().Missed != 1 {
			w.Errorf("%d are owed, %+v", w.owed(), w.recorder.Stats())
		}
	})
}

// TestWhatIsNotKeptBeforeAStopStaysOwed stops a recorder whose history fails.
func TestWhatIsNotKeptBeforeAStopStaysOwed(t *testing.T) {
	run(t, func(w *world) {
		w.store.failWith(errors.New("broken"))
		w.append(0)
		w.wait(time.Second)
		if err := w.recorder.Stop(w.Context()); err != nil || !w.store.closed {
			w.Error(err)
		}
		if w.owed() != 1 {
			w.Errorf("%d are owed", w.owed())
		}
	})
}

// TestWithoutAHistoryWhatIsOwedIsLetGo has a receiver run without one after one with it.
func TestWithoutAHistoryWhatIsOwedIsLetGo(t *testing.T) {
	run(t, func(w *world) {
		if err := w.recorder.Stop(w.Context()); err != nil {
			w.Error(err)
		}
		w.append(0, "mail/crm")
		none := record.New(record.Options{Journal: w.journal, Unavailable: "newer", Logger: slog.New(slog.DiscardHandler)})
		none.Start(w.Context())
		w.wait(time.Second)
		none.Attempted(history.Attempt{Events: make([]history.Sent, 1)})
		none.Refused(history.Refusal{})
		if w.owed() != 0 || w.journal.Stats().Pending["mail/crm"] != 1 || none.Problem() != "newer" {
			w.Errorf("%+v, %q", w.journal.Stats().Pending, none.Problem())
		}
		if err := none.Stop(w.Context()); err != nil {
			w.Error(err)
		}
	})
}

func TestAttemptsAreBounded(t *testing.T) {
	run(t, func(w *world) {
		w.recorder.Attempted(history.Attempt{Sink: "a", Events: make([]history.Sent, 3)})
		w.recorder.Attempted(history.Attempt{Sink: "b", Events: make([]history.Sent, 1<<16)})
		w.recorder.Attempted(history.Attempt{Sink: "c", Events: make([]history.Sent, 5)})
		w.wait(time.Second)
		_, attempts, _ := w.store.kept()
		if len(attempts) != 2 || attempts[1].Sink != "c" || w.recorder.Stats().Missed != 1<<16 {
			w.Errorf("%d attempts, %+v", len(attempts), w.recorder.Stats())
		}
	})
}

// TestAFloodOfRefusalsIsSampled refuses a thousand requests of one endpoint, and one of another.
func TestAFloodOfRefusalsIsSampled(t *testing.T) {
	run(t, func(w *world) {
		for range 1000 {
			w.recorder.Refused(history.Refusal{At: time.Now(), Endpoint: "mail/a"})
		}
		w.recorder.Refused(history.Refusal{At: time.Now(), Endpoint: "mail/b"})
		w.wait(2 * time.Minute)
		w.recorder.Refused(history.Refusal{At: time.Now(), Endpoint: "mail/a"})
		w.recorder.Refused(history.Refusal{At: time.Now().Add(-time.Hour), Endpoint: "mail/a"}) // the clock went back
		w.wait(time.Second)
		_, _, refusals := w.store.kept()
		if len(refusals) != 13 || refusals[10].Endpoint != "mail/b" || refusals[11].More != 990 {
			w.Errorf("%d refusals: %+v", len(refusals), refusals)
		}
	})
}
