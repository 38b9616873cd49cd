package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
)

// TestRecallMakesEverythingDue recalls what is leased, what is scheduled and what is new.
func TestRecallMakesEverythingDue(t *testing.T) {
	t.Parallel()
	j, err := Open(Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, payload := range []string{"scheduled", "leased", "new"} {
		if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{Sinks: []string{"mail/a"}, Payload: []byte(payload)}}}); err != nil {
			t.Fatal(err)
		}
	}
	q := j.Queue("mail/a")
	leased, err := q.Fetch(t.Context(), journal.Limit{Events: 2})
	if err != nil {
		t.Fatal(err)
	}
	later := []journal.Settlement{{Deliveries: leased[:1], Outcome: journal.Retry, At: time.Now().Add(time.Hour)}}
	if err := q.Settle(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	if err := j.Recall(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	for len(got) < 3 {
		deliveries, err := q.Fetch(ctx, journal.Limit{Events: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range deliveries {
			got = append(got, string(d.Payload))
		}
	}
	if want := []string{"scheduled", "leased", "new"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := j.Stats().Pending["mail/a"]; n != 3 {
		t.Errorf("%d pending", n)
	}
}

// TestARecalledJournalIsCounted recalls a journal that was just opened, and one whose store has failed: who empties it goes by what
// Stats says.
func TestARecalledJournalIsCounted(t *testing.T) {
	t.Parallel()
	const events = 20_000
	fs := vfs.NewMem()
	open := func() *Journal {
		j, err := Open(Options{Dir: "journal", FS: fs, MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := open()
	var b journal.Batch
	for n := range events { // each in a bundle of its own
		b.Entries = append(b.Entries, journal.Entry{Sinks: []string{fmt.Sprintf("mail/%d", n%2), fmt.Sprint("only/", n%3)}, Payload: make([]byte, 1<<10)})
	}
	if _, err := j.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	held := func() (n int64) {
		for _, pending := range j.Stats().Pending {
			n += pending
		}
		return n
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open()
	defer j.Close() //nolint:errcheck // nothing depends on it
	if err := j.Recall(); err != nil {
		t.Fatal(err)
	}
	if n := held(); n != 2*events {
		t.Errorf("%d of %d are counted when a journal that was just opened is recalled", n, 2*events)
	}
	j.fail(fmt.Errorf("it is told to"))
	for j.refusal() != nil {
		if n := held(); n != 2*events && j.refusal() == nil {
			t.Errorf("%d of %d are counted after a repair", n, 2*events)
		}
	}
	if n := held(); n != 2*events {
		t.Errorf("%d of %d are counted after a repair", n, 2*events)
	}
}

// heldTables holds up those who create tables, while it is on.
type heldTables struct {
	vfs.FS
	on      atomic.Bool
	held    chan struct{}
	release chan struct{}
}

func (h *heldTables) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if h.on.Load() && filepath.Ext(name) == ".sst" {
		select {
		case h.held <- struct{}{}:
		default:
		}
		<-h.release
	}
	return h.FS.Create(name, c)
}

// TestNobodyWaitsForSpaceToBeReclaimed recalls a journal whose store is being compacted, which a full one is.
func TestNobodyWaitsForSpaceToBeReclaimed(t *testing.T) {
	t.Parallel()
	fs := &heldTables{FS: vfs.NewMem(), held: make(chan struct{}, 1), release: make(chan struct{})}
	j, err := Open(Options{Dir: "journal", FS: fs, MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	appendLetters(t, j, 'A')
	appendLetters(t, j, 'a')
	first := fetchLetters(t, j)
	if err := j.db.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := j.Queue(leaseSink).Settle(t.Context(), []journal.Settlement{{Deliveries: first}}); err != nil {
		t.Fatal(err)
	}
	fs.on.Store(true)
	j.reclaims <- struct{}{} // as an append does that finds the journal full
	<-fs.held
	recalled := make(chan error, 1)
	go func() { recalled <- j.Recall() }()
	select {
	case err := <-recalled:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("Recall waits for the compaction")
	}
	close(fs.release)
	fetchLetters(t, j)
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
