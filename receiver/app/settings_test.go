package app_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// parse returns the settings of a command line.
func parse(t *testing.T, arguments ...string) *app.Settings {
	t.Helper()
	var s app.Settings
	flags := flag.NewFlagSet("receiver", flag.ContinueOnError)
	s.Flags(flags, app.Settings{Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0"})
	if err := flags.Parse(arguments); err != nil {
		t.Fatal(err)
	}
	return &s
}

func openSettings(t *testing.T, s *app.Settings) (*app.Instance, error) {
	t.Helper()
	instance, err := openOnly(t, s)
	if err == nil {
		t.Cleanup(instance.Abandon)
	}
	return instance, err
}

// openOnly returns what is to be run.
func openOnly(t *testing.T, s *app.Settings) (*app.Instance, error) {
	t.Helper()
	return s.Open(t.Context(), slog.New(slog.DiscardHandler), io.Discard)
}

// TestFileSinksAreApartFromTheJournal names folders of which one is in the other, as they are written and by links.
func TestFileSinksAreApartFromTheJournal(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		reason, files string
		ok            bool
	}{
		"beside":           {"the sinks cannot reach the journal", "files", true},
		"none":             {"there are no such sinks", "", true},
		"the same":         {"a sink could write into the journal", "data", false},
		"in it":            {"the rest of what the receiver keeps is there", "data/files", false},
		"around it":        {"a sink could write into the journal", ".", false},
		"by a link":        {"the name says nothing", "link/files", false},
		"beginning alike":  {"another folder", "data-files", true},
		"by another name":  {"the name says nothing", "files/../data", false},
		"not there at all": {"the first event makes it", "a/b/c", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := parse(t)
			base := filepath.Dir(s.Data)
			if err := errors.Join(os.Mkdir(s.Data, 0o700), os.Symlink(s.Data, filepath.Join(base, "link"))); err != nil {
				t.Fatal(err)
			}
			if test.files != "" {
				s.FileSinks = base + "/" + test.files
			}
			_, err := openSettings(t, s)
			if test.ok && err != nil || !test.ok && (err == nil || !strings.Contains(err.Error(), "--file-sinks")) {
				t.Errorf("Open = %v, ok should be %t: %s", err, test.ok, test.reason)
			}
		})
	}
}

// TestZeroIsNotTheDefault asks for amounts of nothing.
func TestZeroIsNotTheDefault(t *testing.T) {
	t.Parallel()
	for argument, ok := range map[string]bool{
		"--journal-min-free-bytes=0": true, "--journal-max-bytes=0": false, "--max-in-flight-bytes=0": false, "--dedupe-window=0": false,
	} {
		_, err := openSettings(t, parse(t, argument))
		if name, _, _ := strings.Cut(argument, "="); ok && err != nil || !ok && (err == nil || !strings.Contains(err.Error(), name)) {
			t.Errorf("%s: %v, ok should be %t", argument, err, ok)
		}
	}
}

// TestAnUpgradeKeepsWhatWaits opens the folder of a release that kept the journal in --data itself.
func TestAnUpgradeKeepsWhatWaits(t *testing.T) {
	t.Parallel()
	s := parse(t)
	j, err := embedded.Open(embedded.Options{Dir: s.Data, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	entry := journal.Entry{Sinks: []string{"mail/sink"}, Payload: []byte("{}")}
	if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{entry}}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	instance, err := openSettings(t, s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := instance.Run(ctx); err != nil {
		t.Fatal(err)
	}
	j, err = embedded.Open(embedded.Options{Dir: filepath.Join(s.Data, app.JournalFolder), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // it was only read
	if got, err := j.Queue("mail/sink").Fetch(t.Context(), journal.Limit{Events: 2}); err != nil || len(got) != 1 {
		t.Errorf("Fetch = %d deliveries, %v, want the one that waited", len(got), err)
	}
}
