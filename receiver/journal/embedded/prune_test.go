package embedded

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

const pruneWindow = time.Hour

// openAt opens a journal whose clock is at *now.
func openAt(t *testing.T, fs vfs.FS, now *time.Time) *Journal {
	t.Helper()
	opened := *now
	return openWithUptime(t, fs, now, func() time.Duration { return now.Sub(opened) })
}

// openWithUptime opens one whose process has run for another time than its clock says.
func openWithUptime(t *testing.T, fs vfs.FS, now *time.Time, uptime func() time.Duration) *Journal {
	t.Helper()
	j, err := Open(Options{
		Dir: "/journal", FS: fs, DedupeWindow: pruneWindow, DeadLetterRetention: 2 * pruneWindow,
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return *now }, Uptime: uptime,
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { j.Close() }) //nolint:errcheck // only for those who do not
	return j
}

func appendNumbered(t *testing.T, j *Journal, n int) journal.Receipt {
	t.Helper()
	e := journal.Entry{DedupeKeys: []string{fmt.Sprint(n)}, Sinks: []string{"mail/sink"}, Payload: []byte("{}")}
	receipt, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{e}})
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return receipt
}

// countDedupeKeys counts what is stored.
func countDedupeKeys(t *testing.T, j *Journal) int {
	t.Helper()
	count := 0
	err := store.Scan(j.db, []byte{format.TableDedupe}, []byte{format.TableDedupe + 1}, func(_, _ []byte) (bool, error) {
		count++
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestDedupeKeysAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_700_000_000_000).Truncate(pruneWindow)
	j := openAt(t, vfs.NewMem(), &now)
	for n := range 3 {
		appendNumbered(t, j, n)
		now = now.Add(pruneWindow)
	}
	appendNumbered(t, j, 3)
	j.prune()
	if got := countDedupeKeys(t, j); got != 2 {
		t.Errorf("%d dedupe keys are kept, want those of the present and the previous window", got)
	}
	if appendNumbered(t, j, 2).Duplicates != 1 {
		t.Error("a key of the previous window is forgotten")
	}
}

func TestClockThatIsSetBackForgetsNothing(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_700_000_000_000).Truncate(pruneWindow)
	fs := vfs.NewMem()
	j := openAt(t, fs, &now)
	appendNumbered(t, j, 0)
	now = now.Add(-time.Minute)
	if appendNumbered(t, j, 0).Duplicates != 1 {
		t.Error("a key is forgotten after the clock was set back")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openAt(t, fs, &now)
	if appendNumbered(t, j, 0).Duplicates != 1 {
		t.Error("a key is forgotten after a restart with the clock set back")
	}
}

func TestDeadLettersExpire(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_700_000_000_000)
	j := openAt(t, vfs.NewMem(), &now)
	for n := range 3 {
		letter := journal.DeadLetter{Cause: journal.CauseUndecodable, Reason: fmt.Sprint(n), At: now}
		if _, err := j.Append(t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{letter}}); err != nil {
			t.Fatalf("Append: %v", err)
		}
		now = now.Add(pruneWindow)
	}
	j.prune()
	left, err := j.DeadLetters().List(t.Context(), 0, 10)
	if err != nil || len(left) != 2 || left[0].Reason != "1" {
		t.Errorf("kept %+v, %v, want those of the last two hours", left, err)
	}
	if n := j.Stats().DeadLetters; n != 2 {
		t.Errorf("statistics count %d, want 2", n)
	}
}

func TestSettlementsBecomeDurableWithoutAppends(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_700_000_000_000)
	fs := vfs.NewCrashableMem()
	j := openAt(t, fs, &now)
	appendNumbered(t, j, 0)
	q := j.Queue("mail/sink")
	deliveries, err := q.Fetch(t.Context(), journal.Limit{Events: 1})
	if err != nil {
		t.Fatalf("Fetch: %v", err)
	}
	if err := q.Settle(t.Context(), []journal.Settlement{{Deliveries: deliveries[:1]}}); err != nil {
		t.Fatalf("Settle: %v", err)
	}
	j.syncSettlements()
	j = openAt(t, fs.CrashClone(vfs.CrashCloneCfg{}), &now)
	if err := store.Scan(j.db, []byte{format.TableEvents}, []byte{format.TableSchedule + 1}, func(key, _ []byte) (bool, error) {
		if key[0] != format.TableMeta {
			t.Errorf("key %q is left", key)
		}
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestAnotherWindowForgetsNothing opens a journal with another window than it was written with.
func TestAnotherWindowForgetsNothing(t *testing.T) {
	t.Parallel()
	for _, window := range []time.Duration{pruneWindow / 2, pruneWindow + time.Minute, 2 * pruneWindow} {
		t.Run(window.String(), func(t *testing.T) {
			t.Parallel()
			now, fs := time.UnixMilli(1_700_000_000_000), vfs.NewMem()
			j := openAt(t, fs, &now)
			for n := range 3 {
				appendNumbered(t, j, n)
				now = now.Add(pruneWindow / 3)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			opened := now
			j, err := Open(Options{
				Dir: "/journal", FS: fs, DedupeWindow: window, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
				Uptime: func() time.Duration { return now.Sub(opened) },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close() //nolint:errcheck // nothing depends on it
			now = now.Add(time.Minute)
			for n := range 3 {
				if got := appendNumbered(t, j, n); got.Duplicates != 1 {
					t.Errorf("event %d, accepted before the window was changed: %+v, want a duplicate", n, got)
				}
			}
			now = now.Add(3 * window)
			appendNumbered(t, j, 3)
			j.prune()
			if n := countDedupeKeys(t, j); n != 1 {
				t.Errorf("three windows later %d keys are kept, want that of the present one", n)
			}
		})
	}
}

// TestAClockThatWasAheadForAMoment has one append at a clock that is two windows ahead, before any key is removed.
func TestAClockThatWasAheadForAMoment(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_700_000_000_000)
	j := openAt(t, vfs.NewMem(), &now)
	appendNumbered(t, j, 0)
	for !j.seen.Loaded() {
		time.Sleep(time.Millisecond)
	}
	now = now.Add(2 * pruneWindow)
	appendNumbered(t, j, 1)
	now = now.Add(-2 * pruneWindow)
	if got := appendNumbered(t, j, 0); got.Duplicates != 1 {
		t.Errorf("an event whose key is stored: %+v, want a duplicate", got)
	}
}

// TestAClockThatJumpsRemovesNothing has the clock far ahead for a minute. What is stored is there afterwards, and is removed when it is
// old by time that has passed.
func TestAClockThatJumpsRemovesNothing(t *testing.T) {
	t.Parallel()
	now, uptime := time.UnixMilli(1_700_000_000_000), time.Duration(0)
	pass := func(d time.Duration) { now, uptime = now.Add(d), uptime+d }
	j := openWithUptime(t, vfs.NewMem(), &now, func() time.Duration { return uptime })
	appendNumbered(t, j, 0)
	letter := journal.DeadLetter{Cause: journal.CauseUndecodable, At: now}
	if _, err := j.Append(t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{letter}}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(1000 * pruneWindow)
	pass(time.Minute)
	j.prune()
	now = now.Add(-1000 * pruneWindow)
	if n := j.Stats().DeadLetters; n != 1 {
		t.Errorf("%d dead letters after the clock was ahead for a minute, want 1", n)
	}
	if appendNumbered(t, j, 0).Duplicates != 1 {
		t.Error("the dedupe keys are forgotten after the clock was ahead for a minute")
	}
	pass(3 * pruneWindow)
	j.prune()
	if n := j.Stats().DeadLetters; n != 0 {
		t.Errorf("%d dead letters are kept for longer than they should be", n)
	}
}
