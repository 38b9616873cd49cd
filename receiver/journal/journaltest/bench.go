package journaltest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

// benchmarkPayload is the size of an event in the benchmarks, about that of one from EmailEngine.
const benchmarkPayload = 1024

// BenchmarkEntry returns the n-th event of a benchmark. Half of its payload compresses, as JSON does.
func BenchmarkEntry(n int64) journal.Entry {
	e := journal.Entry{
		DedupeKeys: []string{fmt.Sprintf("event-%d", n)}, OrderingKey: "key", Sinks: []string{"mail/sink"},
		AcceptedAt: time.Now(), Payload: make([]byte, benchmarkPayload),
	}
	state := uint64(n)*2654435761 + 1
	for i := range benchmarkPayload / 2 {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		e.Payload[i] = byte(state)
	}
	return e
}

// BenchmarkAppend appends events one by one, from 1, 16 and more writers at a time. It reports how many waits for stable
// storage an event takes.
func BenchmarkAppend(b *testing.B, j journal.Journal) {
	var next atomic.Int64
	for _, writers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			before := j.Stats().Syncs
			b.ResetTimer()
			for range writers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := j.Append(b.Context(), journal.Batch{Entries: []journal.Entry{BenchmarkEntry(next.Add(1))}}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(j.Stats().Syncs-before)/float64(b.N), "syncs/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
