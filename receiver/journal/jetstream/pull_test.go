package jetstream_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

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

// TestWhatIsDoneDoesNotComeAgain removes the consumers again and again while events are delivered to several sinks.
func TestWhatIsDoneDoesNotComeAgain(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 3})
	j := open(t, options(c))
	const events, perFetch = 4000, 50
	sinks := []string{"mail/1", "mail/2", "mail/3", "mail/4", "mail/5", "mail/6"}
	for first := range events / perFetch {
		var some []journal.Entry
		for n := range perFetch {
			some = append(some, entry(strconv.Itoa(first*perFetch+n), sinks...))
		}
		_, err := j.Append(t.Context(), batch(some...))
		mustDo(t, err)
	}
	admin, end := dial(t, c.URLs()[0])
	defer end()
	stream, err := admin.Stream(t.Context(), "test")
	mustDo(t, err)
	seen := map[string]struct{}{}
	for round := range events / perFetch {
		for _, sink := range sinks {
			deliveries := fetchOf(t, j, sink, perFetch)
			for _, d := range deliveries {
				seen[sink+" "+string(d.Payload)] = struct{}{}
			}
			mustDo(t, j.Queue(sink).Settle(t.Context(), []journal.Settlement{{Deliveries: deliveries}}))
		}
		if round%4 == 3 {
			removeConsumers(t, stream)
		}
	}
	if again := events*len(sinks) - len(seen); again > 0 {
		t.Errorf("%d of %d deliveries came again after they were settled", again, events*len(sinks))
	}
}

// removeConsumers removes what feeds the sinks, as an operator could.
func removeConsumers(t *testing.T, stream natsjs.Stream) {
	t.Helper()
	eventually(t, "the consumers are removed", func() bool {
		names := stream.ConsumerNames(t.Context())
		for name := range names.Name() {
			_ = stream.DeleteConsumer(t.Context(), name)
		}
		return names.Err() == nil
	})
}
