package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
)

// TestABacklogLeavesTheProcessItsHeadStart opens a journal that holds an event: at first nothing is leased, then everything is.
func TestABacklogLeavesTheProcessItsHeadStart(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	openWith := func(headStart time.Duration) *Journal {
		j, err := Open(Options{Dir: "journal", FS: fs, MinFreeBytes: -1, HeadStart: headStart})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	appendAndClose := func(j *Journal) {
		_, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{Sinks: []string{"mail/a"}, Payload: []byte("event")}}})
		if err := errors.Join(err, j.Close()); err != nil {
			t.Fatal(err)
		}
	}
	appendAndClose(openWith(0))

	j := openWith(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if got, err := j.Queue("mail/a").Fetch(ctx, journal.Limit{Events: 10}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Fetch = %v, %v before the head start is over", got, err)
	}
	appendAndClose(j)

	j = openWith(time.Millisecond)
	got, err := j.Queue("mail/a").Fetch(t.Context(), journal.Limit{Events: 10})
	if err := errors.Join(err, j.Close()); err != nil || len(got) != 2 {
		t.Errorf("Fetch = %v, %v after the head start", got, err)
	}
}

// TestAnOpeningWaitsForNoCompaction opens a store that has more young tables than are left alone.
func TestAnOpeningWaitsForNoCompaction(t *testing.T) {
	t.Parallel()
	o := Options{Dir: "journal", FS: vfs.NewMem(), Logger: slog.New(slog.DiscardHandler)}
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	storeYoungTables(t, &o, youngTables+5)

	db, err := openPebble(o.Dir, &o, newFailStopFS(o.FS, func(error) {}), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if m := db.Metrics(); m.Compact.Count > 0 || m.Compact.NumInProgress > 0 || m.Levels[0].TablesCount < youngTables {
		t.Errorf("%d compactions were made and %d began during the opening, %d young tables are left",
			m.Compact.Count, m.Compact.NumInProgress, m.Levels[0].TablesCount)
	}
	flushOne(t, db, 0)
	for deadline := time.Now().Add(30 * time.Second); db.Metrics().Compact.Count == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no compaction after the next flush")
		}
	}
}

// storeYoungTables makes a store whose tables overlap, and merges none.
func storeYoungTables(t *testing.T, o *Options, count int) {
	t.Helper()
	fs := newFailStopFS(o.FS, func(error) {})
	opts := pebbleOptions(o, fs, &storeLogger{log: o.Logger, fs: fs}, func() (least, most int) { return 1, 2 })
	opts.DisableAutomaticCompactions = true
	db, err := pebble.Open(o.Dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	for n := range count {
		flushOne(t, db, n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func flushOne(t *testing.T, db *pebble.DB, n int) {
	t.Helper()
	for _, key := range []string{"k", fmt.Sprintf("k%03d", n), "l"} {
		if err := db.Set([]byte(key), []byte(fmt.Sprint(n)), pebble.NoSync); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
}
