package store

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
)

// traced is an error as the store makes them.
type traced string

// Error implements error.
func (e traced) Error() string { return string(e) }

// Format implements fmt.Formatter.
func (e traced) Format(f fmt.State, _ rune) {
	fmt.Fprint(f, string(e))
	if f.Flag('+') {
		fmt.Fprint(f, "\n(1) attached stack trace\n  -- stack trace:\n  | main.main")
	}
}

// TestWhatTheStoreSaysIsOneLine has the store log, and end with, an error that it writes with its stack trace.
func TestWhatTheStoreSaysIsOneLine(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	fs := failstop.New(vfs.NewMem(), nil, nil)
	l := &logger{log: slog.New(slog.NewTextHandler(&log, nil)), fs: fs}
	failure := traced("write: no space left")
	l.Errorf("background error: %+v\n", failure)
	if text := log.String(); !strings.Contains(text, `error="background error: write: no space left"`) {
		t.Error(text)
	}
	l.Fatalf("%+v", failure)
	if text := fs.Cause().Error(); text != "write: no space left" {
		t.Errorf("%q", text)
	}
}
