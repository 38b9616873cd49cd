package embedded

import (
	"context"
	"slices"
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
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
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
