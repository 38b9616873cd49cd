package embedded_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

const benchPayload = 1024

func openBench(b *testing.B, dir string) *embedded.Journal {
	b.Helper()
	j, err := embedded.Open(embedded.Options{Dir: dir, MaxBytes: 64 << 30})
	if err != nil {
		b.Fatalf("Open: %v", err)
	}
	return j
}

func benchEntry(n int64) journal.Entry {
	e := journal.Entry{
		DedupeKeys: []string{fmt.Sprintf("event-%d", n)}, OrderingKey: "key", Sinks: []string{"mail/sink"},
		AcceptedAt: time.Now(), Payload: make([]byte, benchPayload),
	}
	state := uint64(n)*2654435761 + 1
	for i := range benchPayload / 2 { // half of it compresses, as JSON does
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		e.Payload[i] = byte(state)
	}
	return e
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			j := openBench(b, b.TempDir())
			var next atomic.Int64
			var wg sync.WaitGroup
			before := j.Stats().Syncs
			b.ResetTimer()
			for range writers {
				wg.Go(func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						if _, err := j.Append(b.Context(), journal.Batch{Entries: []journal.Entry{benchEntry(n)}}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(j.Stats().Syncs-before)/float64(b.N), "fsyncs/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			if err := j.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}

// BenchmarkDrain fetches and settles a backlog of b.N events in batches of 500.
func BenchmarkDrain(b *testing.B) {
	j := openBench(b, b.TempDir())
	fillBench(b, j, b.N)
	q := j.Queue("mail/sink")
	b.ResetTimer()
	for left := b.N; left > 0; {
		deliveries, err := q.Fetch(b.Context(), journal.Limit{Events: min(left, 500)})
		if err != nil {
			b.Fatal(err)
		}
		settlements := make([]journal.Settlement, len(deliveries))
		for i, d := range deliveries {
			settlements[i].Delivery = d
		}
		if err := q.Settle(b.Context(), settlements); err != nil {
			b.Fatal(err)
		}
		left -= len(deliveries)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(residentMiB(b), "MiB-resident")
	if err := j.Close(); err != nil {
		b.Error(err)
	}
}

func fillBench(b *testing.B, j *embedded.Journal, count int) {
	b.Helper()
	const batch = 1000
	for n := 0; n < count; n += batch {
		var add journal.Batch
		for i := range min(batch, count-n) {
			add.Entries = append(add.Entries, benchEntry(int64(n+i)))
		}
		if _, err := j.Append(b.Context(), add); err != nil {
			b.Fatal(err)
		}
	}
}
