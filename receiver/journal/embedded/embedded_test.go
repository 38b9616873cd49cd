package embedded_test

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/journal/journaltest"
)

const testWindow = 24 * time.Hour

// storage is a crashable file system with a clock that can be moved.
type storage struct {
	fs     *vfs.MemFS
	ahead  atomic.Int64
	last   *embedded.Journal
	change func(*embedded.Options)
}

func newStorage() *storage { return &storage{fs: vfs.NewCrashableMem()} }

func (s *storage) options() embedded.Options {
	o := embedded.Options{
		Dir: "/journal", FS: s.fs, DedupeWindow: testWindow, Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
	}
	if s.change != nil {
		s.change(&o)
	}
	return o
}

func (s *storage) open(t *testing.T) *embedded.Journal {
	t.Helper()
	j, err := embedded.Open(s.options())
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { j.Close() }) //nolint:errcheck // the tests that care close it themselves
	s.last = j
	return j
}

// crash keeps what was synced and nothing else.
func (s *storage) crash(t *testing.T) {
	t.Helper()
	after := s.fs.CrashClone(vfs.CrashCloneCfg{})
	if err := s.last.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	s.fs = after
}

func TestConformance(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(*testing.T) journaltest.Harness {
		s := newStorage()
		return journaltest.Harness{
			Open:         func(t *testing.T) journal.Journal { return s.open(t) },
			Crash:        s.crash,
			Advance:      func(d time.Duration) { s.ahead.Add(int64(d)) },
			DedupeWindow: testWindow,
			OpenSmall: func(t *testing.T) journal.Journal {
				s.change = func(o *embedded.Options) { o.MaxBytes = 32 << 20 } // of which a half is kept for merges
				return s.open(t)
			},
		}
	})
}
