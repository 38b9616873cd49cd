package app

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
	"github.com/mailvane/mailvane/receiver/journal/jetstream"
)

// The kinds of journal.
const (
	// JournalEmbedded keeps events on the receiver's own disk.
	JournalEmbedded = "Embedded"
	// JournalJetStream keeps events in a NATS cluster, which all replicas of a receiver share.
	JournalJetStream = "JetStream"
)

func (s *Settings) journalFlags(f *flag.FlagSet) {
	f.StringVar(&s.Journal, "journal", JournalEmbedded, "where events are kept: Embedded (the folder --data) or JetStream (a NATS cluster)")
	f.StringVar(&s.JetStreamURLs, "jetstream-urls", "", "comma-separated addresses of NATS servers, such as nats://a:4222")
	f.StringVar(&s.JetStream.Name, "jetstream-stream", "", "what the names of the two streams begin with: letters, digits, - and _; one for each receiver")
	f.IntVar(&s.JetStream.Replicas, "jetstream-replicas", 3, "on how many servers each event is kept: 1, 3 or 5")
	f.StringVar(&s.JetStream.Credentials, "jetstream-credentials", "", "NATS credentials file; this and the following are read again at every connection")
	f.StringVar(&s.JetStream.CA, "jetstream-ca", "", "PEM file with the authorities that sign the servers' certificates")
	f.StringVar(&s.JetStream.Certificate, "jetstream-certificate", "", "PEM file with a client certificate")
	f.StringVar(&s.JetStream.Key, "jetstream-key", "", "PEM file with the key of the client certificate")
}

// headStart is what a receiver with a backlog needs to become ready on a machine that is not busy, and some more.
const headStart = 50 * time.Millisecond

// openJournal opens the journal. self is where this receiver takes webhooks, which no other process on this machine does.
func (s *Settings) openJournal(self string, log *slog.Logger) (journal.Journal, error) {
	switch s.Journal {
	case JournalJetStream:
		if s.JetStreamURLs == "" || s.JetStream.Name == "" {
			return nil, errors.New("--journal=JetStream needs --jetstream-urls, such as nats://a:4222, and --jetstream-stream, a name that no other receiver has")
		}
		o := s.JetStream
		o.URLs, o.MaxBytes, o.DedupeWindow, o.Logger = fields(s.JetStreamURLs), s.JournalMaxBytes, s.DedupeWindow, log
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("name this receiver: %w", err)
		}
		o.Instance = host + " " + self
		j, err := jetstream.Open(o)
		if err != nil {
			return nil, fmt.Errorf("--journal=JetStream: %w", err)
		}
		return j, nil
	case JournalEmbedded, "":
		return s.openEmbedded(log)
	}
	return nil, errors.New("--journal must be Embedded or JetStream")
}

// JournalFolder is the folder of the embedded journal in Settings.Data.
const JournalFolder = "journal"

func (s *Settings) openEmbedded(log *slog.Logger) (journal.Journal, error) {
	dir := filepath.Join(s.Data, JournalFolder)
	if err := folder.Move(s.Data, dir, log); err != nil {
		return nil, fmt.Errorf("move the journal of an earlier release from %s to %s: %w", s.Data, dir, err)
	}
	o := embedded.Options{
		Dir: dir, MaxBytes: s.JournalMaxBytes, MinFreeBytes: s.JournalMinFreeBytes, DedupeWindow: s.DedupeWindow, HeadStart: headStart, Logger: log,
	}
	j, err := embedded.Open(o)
	if err != nil {
		return nil, fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	return j, nil
}

// checkAmounts refuses 0 where it would mean the default and not nothing.
func (s *Settings) checkAmounts() error {
	var errs []error
	for name, amount := range map[string]int64{
		"--max-in-flight-bytes": s.MaxInFlightBytes, "--journal-max-bytes": s.JournalMaxBytes, "--dedupe-window": int64(s.DedupeWindow),
	} {
		if amount <= 0 {
			errs = append(errs, fmt.Errorf("%s must be more than 0", name))
		}
	}
	return errors.Join(errs...)
}

// checkFolders refuses a folder for File sinks in which a sink could write into what the receiver keeps itself.
func (s *Settings) checkFolders() error {
	if s.FileSinks == "" || s.Journal == JournalJetStream {
		return nil
	}
	data, err := realPath(s.Data)
	files, filesErr := realPath(s.FileSinks)
	if err := errors.Join(err, filesErr); err != nil {
		return fmt.Errorf("--data and --file-sinks: %w", err)
	}
	if within(data, files) || within(files, data) {
		return fmt.Errorf("--file-sinks=%s must be apart from --data=%s: neither may be in the other, since a sink could overwrite the journal", s.FileSinks, s.Data)
	}
	return nil
}

// realPath returns the absolute path without links of a file that need not be there yet.
func realPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(absolute)
	if parent := filepath.Dir(absolute); errors.Is(err, os.ErrNotExist) && parent != absolute {
		resolved, err = realPath(parent)
		return filepath.Join(resolved, filepath.Base(absolute)), err
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", absolute, err)
	}
	return resolved, err
}

// within says whether a path is the folder or in it.
func within(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(relative)
}

// journalOpened says whether the journal could be opened at least once.
func (r *Receiver) journalOpened() bool {
	if !r.opened.Load() && !r.options.Journal.Stats().Unopened {
		r.opened.Store(true)
	}
	return r.opened.Load()
}
