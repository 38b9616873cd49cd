package embedded_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/journal/journaltest"
)

func openBench(b *testing.B, dir string) *embedded.Journal {
	b.Helper()
	j, err := embedded.Open(embedded.Options{Dir: dir, MaxBytes: 64 << 30})
	if err != nil {
		b.Fatalf("Open: %v", err)
	}
	return j
}

func BenchmarkAppend(b *testing.B) {
	j := openBench(b, b.TempDir())
	journaltest.BenchmarkAppend(b, j)
	if err := j.Close(); err != nil {
		b.Error(err)
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
		if err := q.Settle(b.Context(), []journal.Settlement{{Deliveries: deliveries}}); err != nil {
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
			add.Entries = append(add.Entries, journaltest.BenchmarkEntry(int64(n+i)))
		}
		if _, err := j.Append(b.Context(), add); err != nil {
			b.Fatal(err)
		}
	}
}
