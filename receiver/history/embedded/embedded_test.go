package embedded_test

import (
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/history/embedded"
	"github.com/mailvane/mailvane/receiver/history/historytest"
)

// inMemory returns options of a store in memory whose clock stands still.
func inMemory() embedded.Options {
	return embedded.Options{Dir: "history", FS: vfs.NewMem(), Present: historytest.At, Logger: slog.New(slog.DiscardHandler)}
}

func open(t *testing.T, o embedded.Options) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSuite(t *testing.T) {
	t.Parallel()
	historytest.Run(t, func(t *testing.T) (history.Store, func() history.Store) {
		o := inMemory()
		s := open(t, o)
		return s, func() history.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, o)
			return s
		}
	})
}
