package jetstream_test

import (
	"fmt"
	"testing"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/journaltest"
	"github.com/mailvane/mailvane/test/nats"
)

func BenchmarkAppend(b *testing.B) {
	for _, servers := range []int{1, 3} {
		for _, always := range []bool{false, true} {
			b.Run(fmt.Sprintf("servers=%d/always=%t", servers, always), func(b *testing.B) {
				c := startServers(b, nats.Options{Servers: servers, SyncAlways: always})
				journaltest.BenchmarkAppend(b, open(b, options(c)))
			})
		}
	}
}

// BenchmarkDrain fetches and settles a backlog of b.N events.
func BenchmarkDrain(b *testing.B) {
	c := startServers(b, nats.Options{Servers: 3})
	j := open(b, options(c))
	const most = 1000
	for n := 0; n < b.N; n += most {
		var add journal.Batch
		for i := range min(most, b.N-n) {
			add.Entries = append(add.Entries, journaltest.BenchmarkEntry(int64(n+i)))
		}
		if _, err := j.Append(b.Context(), add); err != nil {
			b.Fatal(err)
		}
	}
	q := j.Queue("mail/sink")
	b.ResetTimer()
	for left := b.N; left > 0; {
		deliveries, err := q.Fetch(b.Context(), journal.Limit{Events: 500})
		if err != nil {
			b.Fatal(err)
		}
		if err := q.Settle(b.Context(), []journal.Settlement{{Deliveries: deliveries}}); err != nil {
			b.Fatal(err)
		}
		left -= len(deliveries)
	}
	eventually(b, "everything is acknowledged", func() bool { return j.Stats().Pending["mail/sink"] == 0 })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
