package embedded

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

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

// TestAnOpeningFailsOnOneLine opens a journal of which two tables are gone.
func TestAnOpeningFailsOnOneLine(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	o := Options{Dir: "journal", FS: fs, MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)}
	for range 2 {
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{Sinks: []string{"mail/a"}, Payload: []byte("event")}}}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	names, err := fs.List("journal")
	if err != nil {
		t.Fatal(err)
	}
	gone := 0
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") {
			gone++
			if err := fs.Remove("journal/" + name); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err = Open(o)
	if err == nil || gone < 2 || strings.Contains(err.Error(), "\n") || strings.Count(err.Error(), "does not exist") != gone {
		t.Errorf("%d tables are gone: %v", gone, err)
	}
}
