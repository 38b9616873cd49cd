package jetstream_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream"
	"github.com/mailvane/mailvane/test/nats"
)

// openOver opens a journal that reaches the server by a line of its own.
func openOver(t *testing.T, c *nats.Cluster, o jetstream.Options) (*jetstream.Journal, *nats.Line) {
	t.Helper()
	line, err := c.Servers[0].NewLine(t.Context())
	mustDo(t, err)
	t.Cleanup(line.Close)
	o.URLs = []string{line.URL()}
	return open(t, o), line
}

func appendNumbered(t *testing.T, j journal.Journal, from, count int) {
	t.Helper()
	for n := from; n < from+count; n++ {
		_, err := j.Append(t.Context(), batch(entry(strconv.Itoa(n), sinkA)))
		mustDo(t, err)
	}
}

func payloads(deliveries []journal.Delivery) (all []string) {
	for _, d := range deliveries {
		all = append(all, string(d.Payload))
	}
	return all
}

// TestWhatAnotherDeliveredIsNotDeliveredAgain cuts a receiver off while it has events that wait. Another delivers them and is gone
// when the first is back.
func TestWhatAnotherDeliveredIsNotDeliveredAgain(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	one, line := openOver(t, c, options(c))
	other := open(t, otherReceiver(c))
	appendNumbered(t, one, 0, 4)
	leased := fetchAll(t, one, 2)
	back := journal.Settlement{Deliveries: leased[:1], Outcome: journal.Defer, At: time.Now().Add(time.Second)}
	mustDo(t, one.Queue(sinkA).Settle(t.Context(), []journal.Settlement{back}))
	line.Cut()
	all := fetchAll(t, other, 4)
	mustDo(t, other.Queue(sinkA).Settle(t.Context(), []journal.Settlement{{Deliveries: all}}))
	mustDo(t, other.Close())
	line.Mend()
	eventually(t, "the first is back", func() bool {
		_, err := one.Append(t.Context(), batch(entry("new", sinkA)))
		return err == nil
	})
	retry := journal.Settlement{Deliveries: leased[1:], Outcome: journal.Retry, At: time.Now()}
	got := fetchAll(t, one, 1)
	mustDo(t, one.Queue(sinkA).Settle(t.Context(), []journal.Settlement{retry}))
	mustDo(t, one.Queue(sinkA).Settle(t.Context(), []journal.Settlement{{Deliveries: got}}))
	appendNumbered(t, one, 4, 1)
	got = append(got, fetchAll(t, one, 1)...)
	if diff := cmp.Diff([]string{"new", "4"}, payloads(got)); diff != "" {
		t.Error(diff)
	}
}

// TestCloseTellsTheServersWhatIsDone settles while the servers are out of reach, and closes when they are not any more.
func TestCloseTellsTheServersWhatIsDone(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	one, line := openOver(t, c, options(c))
	appendNumbered(t, one, 0, 3)
	done := fetchAll(t, one, 2)
	line.Cut()
	mustDo(t, one.Queue(sinkA).Settle(t.Context(), []journal.Settlement{{Deliveries: done}}))
	line.Mend()
	mustDo(t, one.Close())
	got := fetchAll(t, open(t, otherReceiver(c)), 1)
	if diff := cmp.Diff([]string{"2"}, payloads(got)); diff != "" {
		t.Error(diff)
	}
}
