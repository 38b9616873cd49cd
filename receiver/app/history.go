package app

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/history/embedded"
	"github.com/mailvane/mailvane/receiver/journal"
)

// The kinds of history.
const (
	// HistoryEmbedded keeps it on the receiver's own disk.
	HistoryEmbedded = "Embedded"
	// HistoryNone keeps none.
	HistoryNone = "None"
)

// HistoryFolder is the folder of the embedded history in Settings.Data.
const HistoryFolder = "history"

func (s *Settings) historyFlags(f *flag.FlagSet) {
	f.StringVar(&s.History, "history", "", "where it is kept what became of events: Embedded (the folder --data) or None; empty = Embedded, but None with --journal=JetStream")
	durationFlag(f, &s.HistoryMaxAge, "history-max-age", embedded.DefaultMaxAge, "how long the history is kept")
	sizeFlag(f, &s.HistoryMaxBytes, "history-max-bytes", embedded.DefaultMaxBytes, "space at which the oldest of the history goes")
}

// hasHistory reports whether a history is asked for. With JetStream it has to be asked for by name: each event is one more message there.
func (s *Settings) hasHistory() bool {
	return s.History == HistoryEmbedded || s.History == "" && s.Journal != JournalJetStream
}

func (s *Settings) checkHistory() error {
	switch {
	case s.History != "" && s.History != HistoryEmbedded && s.History != HistoryNone:
		return errors.New("--history must be Embedded or None")
	case !s.hasHistory():
		return nil
	case s.HistoryMaxAge <= 0:
		return errors.New("--history-max-age must be more than 0; --history=None keeps none")
	case s.HistoryMaxBytes < embedded.MinMaxBytes:
		return fmt.Errorf("--history-max-bytes must be at least %s; --history=None keeps none", "64Mi")
	}
	return nil
}

// openHistory opens the history. A receiver runs on without one that cannot be opened: problem says why, for people.
func (s *Settings) openHistory(j journal.Journal, log *slog.Logger) (store history.Store, problem string) {
	if !s.hasHistory() {
		return nil, ""
	}
	opened, err := embedded.Open(embedded.Options{
		Dir: filepath.Join(s.Data, HistoryFolder), MaxAge: s.HistoryMaxAge, MaxBytes: s.HistoryMaxBytes,
		MinFreeBytes: 2 * s.JournalMinFreeBytes, Present: j.Present, Logger: log,
	})
	if err != nil {
		log.Error("the receiver runs without a history, which cannot be opened", "error", err)
		return nil, "the history cannot be opened: " + err.Error()
	}
	return opened, ""
}
