package jetstream_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream"
	"github.com/mailvane/mailvane/test/nats"
)

// TestNothingOvertakesWhatCannotBeRead schedules more payloads than stay in memory, and lets the server hang when those that do not
// are to be read again.
func TestNothingOvertakesWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	const events, scheduled, size = 32, 30, 900_000
	for name, limit := range map[string]int{"others are due": 25, "others are new": events} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startServers(t, nats.Options{Servers: 1})
			j := open(t, options(c))
			for n := range events {
				e := entry(string(rune('A'+n)), sinkA)
				e.Payload = bytes.Repeat(e.Payload, size)
				_, err := j.Append(t.Context(), batch(e))
				mustDo(t, err)
			}
			back := journal.Settlement{Deliveries: fetchAll(t, j, scheduled), Outcome: journal.Retry, At: time.Now()}
			mustDo(t, j.Queue(sinkA).Settle(t.Context(), []journal.Settlement{back}))

			got := fetchWhileItHangs(t, c.Servers[0], j, limit)
			for len(got) < events {
				got = append(got, first(fetchAll(t, j, events-len(got)))...)
			}
			want := make([]byte, events)
			for n := range want {
				want[n] = byte('A' + n)
			}
			if !slices.Equal(got, want) {
				t.Errorf("delivered %s, want %s", got, want)
			}
		})
	}
}

// fetchWhileItHangs fetches from memory what is there, and returns when a payload could not be read.
func fetchWhileItHangs(t *testing.T, s *nats.Server, j *jetstream.Journal, limit int) []byte {
	t.Helper()
	for {
		mustDo(t, s.Pause())
		ctx, cancel := context.WithTimeout(t.Context(), patience/6)
		got, err := j.Queue(sinkA).Fetch(ctx, journal.Limit{Events: limit})
		cancel()
		mustDo(t, s.Resume())
		if len(got) > 0 {
			return first(got)
		}
		t.Logf("nothing was in memory: %v", err)
	}
}

// first returns the first byte of each payload.
func first(deliveries []journal.Delivery) (all []byte) {
	for _, d := range deliveries {
		all = append(all, d.Payload[0])
	}
	return all
}

// TestFetchWaitsForMoreThanWhatIsGone removes an event by hand whose payload is not in memory.
func TestFetchWaitsForMoreThanWhatIsGone(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	j := open(t, options(c))
	const events, size = 20, 900_000
	for n := range events {
		e := entry(string(rune('A'+n)), sinkA)
		e.Payload = bytes.Repeat(e.Payload, size)
		_, err := j.Append(t.Context(), batch(e))
		mustDo(t, err)
	}
	all := fetchAll(t, j, events)
	last := all[events-1:]
	mustDo(t, j.Queue(sinkA).Settle(t.Context(), []journal.Settlement{
		{Deliveries: all[:events-1], Outcome: journal.Retry, At: time.Now().Add(time.Hour)},
		{Deliveries: last, Outcome: journal.Retry, At: time.Now()},
	}))
	admin, end := dial(t, c.URLs()[0])
	defer end()
	stream, err := admin.Stream(t.Context(), "test")
	mustDo(t, err)
	mustDo(t, stream.DeleteMsg(t.Context(), last[0].Sequence))
	got := make(chan []journal.Delivery)
	go func() {
		next, err := j.Queue(sinkA).Fetch(t.Context(), journal.Limit{Events: 1})
		if err != nil {
			t.Error(err)
		}
		got <- next
	}()
	_, err = j.Append(t.Context(), batch(entry("next", sinkA)))
	mustDo(t, err)
	if next := <-got; len(next) != 1 || string(next[0].Payload) != "next" {
		t.Errorf("Fetch = %s, want the next", first(next))
	}
}
