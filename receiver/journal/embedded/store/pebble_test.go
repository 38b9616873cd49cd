package store

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
)

// TestAnOpeningWaitsForNoCompaction opens a store that has more young tables than are left alone.
func TestAnOpeningWaitsForNoCompaction(t *testing.T) {
	t.Parallel()
	memory := vfs.NewMem()
	s := Settings{MaxBytes: 1 << 30, Logger: slog.New(slog.DiscardHandler)}
	storeYoungTables(t, memory, s, youngTables+5)

	db, err := Open("journal", s, failstop.New(memory, nil, nil), nil)
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
func storeYoungTables(t *testing.T, memory vfs.FS, s Settings, count int) {
	t.Helper()
	fs := failstop.New(memory, nil, nil)
	opts := options(s, fs, &logger{log: s.Logger, fs: fs}, func() (least, most int) { return 1, 2 })
	opts.DisableAutomaticCompactions = true
	db, err := pebble.Open("journal", opts)
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
