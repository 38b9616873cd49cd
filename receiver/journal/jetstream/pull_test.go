package jetstream_test

import (
	"context"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/test/nats"
)

// TestSequencesThatBeginAgain loses the stream while an event is leased. The next event has the number of the lost one.
func TestSequencesThatBeginAgain(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, *nats.Cluster){
		"the stream is deleted": func(t *testing.T, c *nats.Cluster) {
			admin, end := dial(t, c.URLs()[0])
			defer end()
			mustDo(t, admin.DeleteStream(t.Context(), "test"))
		},
		"the server comes back without its disk": func(t *testing.T, c *nats.Cluster) {
			mustDo(t, c.Servers[0].Lose())
			mustDo(t, c.Servers[0].Start(t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startServers(t, nats.Options{Servers: 1})
			j := open(t, options(c))
			_, err := j.Append(t.Context(), batch(entry("old", sinkA)))
			mustDo(t, err)
			old := fetchAll(t, j, 1)
			lose(t, c)
			eventually(t, "an event is stored", func() bool {
				_, err := j.Append(t.Context(), batch(entry("new", sinkA)))
				return err == nil
			})
			next := wantNext(t, j, "new", 0)
			if next[0].Sequence != old[0].Sequence {
				t.Fatalf("the new event has the number %d, not %d: this shows nothing", next[0].Sequence, old[0].Sequence)
			}
			mustDo(t, j.Queue(sinkA).Settle(t.Context(), []journal.Settlement{{Deliveries: old}}))
			mustDo(t, j.Queue(sinkA).Settle(t.Context(), []journal.Settlement{{Deliveries: next, Outcome: journal.Retry, At: time.Now()}}))
			next = wantNext(t, j, "new", 1)
			mustDo(t, j.Queue(sinkA).Settle(t.Context(), []journal.Settlement{{Deliveries: next}}))
			eventually(t, "the servers know that it is done", func() bool { return j.Stats().Pending[sinkA] == 0 })
		})
	}
}

// wantNext fetches one delivery of the first sink and checks it.
func wantNext(t *testing.T, j journal.Journal, payload string, attempts int) []journal.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := j.Queue(sinkA).Fetch(ctx, journal.Limit{Events: 1})
	if err != nil || string(got[0].Payload) != payload || got[0].Attempts != attempts {
		t.Fatalf("Fetch = %v, %v; want %s after %d attempts", got, err, payload, attempts)
	}
	return got
}
