package embedded_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// BenchmarkOpen opens an empty journal and ones with a backlog.
func BenchmarkOpen(b *testing.B) {
	for _, backlog := range []int{0, 1_000_000} {
		b.Run(fmt.Sprintf("backlog=%d", backlog), func(b *testing.B) {
			dir := b.TempDir()
			j := openBench(b, dir)
			fillBench(b, j, backlog)
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			for b.Loop() {
				j = openBench(b, dir)
				b.StopTimer()
				counted := time.Now()
				for j.Stats().Pending["mail/sink"] < int64(backlog) {
					time.Sleep(time.Millisecond)
				}
				b.ReportMetric(time.Since(counted).Seconds(), "s-to-count")
				b.ReportMetric(residentMiB(b), "MiB-resident")
				if err := j.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// residentMiB returns the resident set size of the process, as Linux tells it.
func residentMiB(b *testing.B) float64 {
	b.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 0
}
