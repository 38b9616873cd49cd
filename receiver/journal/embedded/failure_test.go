package embedded_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// faults fails writes: those with an index from first to last, counted from the start.
type faults struct {
	writes      atomic.Int64
	first, last atomic.Int64
	hit         atomic.Int64
}

func (f *faults) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
		return nil
	}
	if n := f.writes.Add(1); n < f.first.Load() || n > f.last.Load() {
		return nil
	}
	f.hit.Add(1)
	return syscall.ENOSPC
}

func (f *faults) String() string { return "faults" }

// begin fails all writes from now on.
func (f *faults) begin() {
	f.first.Store(0)
	f.last.Store(math.MaxInt64)
}

func (f *faults) end() { f.last.Store(0) }

func faultyStorage() (*storage, *faults) {
	s, f := newStorage(), &faults{}
	faulty := errorfs.Wrap(s.fs, f)
	s.change = func(o *embedded.Options) { o.FS, o.MaxBytes = faulty, 8<<20 }
	return s, f
}

func numberedBatch(n, size int) journal.Batch {
	id := fmt.Sprint(n)
	e := journal.Entry{DedupeKeys: []string{id}, OrderingKey: id, Sinks: []string{cutSink}, Payload: make([]byte, size)}
	return journal.Batch{Entries: []journal.Entry{e}}
}

// appendSoon appends until it succeeds.
func appendSoon(t *testing.T, j *embedded.Journal, b journal.Batch) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		_, err := j.Append(t.Context(), b)
		if err == nil {
			return
		}
		if !errors.Is(err, journal.ErrUnavailable) || time.Now().After(deadline) {
			t.Fatalf("Append: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestStorageFailureIsAnError(t *testing.T) {
	t.Parallel()
	s, f := faultyStorage()
	j := s.open(t)
	appendSoon(t, j, numberedBatch(0, 100))
	f.begin()
	if _, err := j.Append(t.Context(), numberedBatch(1, 100)); !errors.Is(err, journal.ErrUnavailable) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Append = %v, want ErrUnavailable because of ENOSPC", err)
	}
	if _, err := j.DeadLetters().List(t.Context(), 0, 1); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("List = %v, want ErrUnavailable", err)
	}
	f.end()
	appendSoon(t, j, numberedBatch(2, 100))
	seen := map[string]bool{}
	for id := range everyDelivery(t, j) {
		seen[id] = true
	}
	if !seen["0"] || !seen["2"] {
		t.Errorf("delivered %v, want 0 and 2", seen)
	}
}

// TestAnyWriteMayFail fails one or three of the writes under a load that fills tables and logs, every 71st in turn from a
// random one on. Whatever fails, the process lives, the journal recovers by itself, and nothing acknowledged is lost.
func TestAnyWriteMayFail(t *testing.T) {
	t.Parallel()
	const step = 71
	start := rand.Int64N(step) + 1
	for _, kind := range []struct {
		name string
		last func(first int64) int64
	}{
		{"one write", func(first int64) int64 { return first }},
		{"three writes", func(first int64) int64 { return first + 2 }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			for first := start; ; first += step {
				if !failWrites(t, first, kind.last(first)) || t.Failed() {
					t.Logf("%d writes", first)
					return
				}
			}
		})
	}
}

// failWrites runs a load in which some writes fail. It returns false when there were not that many writes.
func failWrites(t *testing.T, first, last int64) bool {
	t.Helper()
	const count, size = 250, 4000
	s, f := faultyStorage()
	f.first.Store(first)
	f.last.Store(last)
	j, err := embedded.Open(s.options())
	for err != nil { // that is an answer too, and trying again must help
		j, err = embedded.Open(s.options())
	}
	for n := range count {
		appendSoon(t, j, numberedBatch(n, size))
		if n%100 == 99 {
			retrySome(t, j)
		}
	}
	if err := j.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	f.end()
	j, err = embedded.Open(s.options())
	if err != nil {
		t.Fatalf("reopen after failure of writes %d to %d: %v", first, last, err)
	}
	seen := map[string]int{}
	for id := range everyDelivery(t, j) {
		seen[id]++
	}
	for n := range count {
		if seen[fmt.Sprint(n)] != 1 {
			t.Errorf("writes %d to %d fail: %d was delivered %d times", first, last, n, seen[fmt.Sprint(n)])
		}
	}
	if err := j.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return f.hit.Load() > 0
}

func retrySome(t *testing.T, j *embedded.Journal) {
	t.Helper()
	q := j.Queue(cutSink)
	deliveries, err := q.Fetch(t.Context(), journal.Limit{Events: 10})
	if err != nil {
		t.Fatalf("Fetch: %v", err)
	}
	settlement := journal.Settlement{Deliveries: deliveries, Outcome: journal.Retry, At: time.Now()}
	if err := q.Settle(t.Context(), []journal.Settlement{settlement}); err != nil && !errors.Is(err, journal.ErrUnavailable) {
		t.Fatalf("Settle: %v", err)
	}
}

func TestFullFileSystemRefuses(t *testing.T) {
	t.Parallel()
	s := newStorage()
	s.change = func(o *embedded.Options) { o.MinFreeBytes = 1 << 30 }
	s.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 2 << 30})
	j := s.open(t)
	appendSoon(t, j, numberedBatch(0, 100))
	s.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1<<30 - 1})
	s.ahead.Add(int64(time.Second))
	if _, err := j.Append(t.Context(), numberedBatch(1, 100)); !errors.Is(err, journal.ErrFull) {
		t.Errorf("Append = %v, want ErrFull", err)
	}
	if problem := j.Stats().Problem; !strings.Contains(problem, "file system") {
		t.Errorf("the problem is %q", problem)
	}
	s.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 2 << 30})
	s.ahead.Add(int64(time.Second))
	if _, err := j.Append(t.Context(), numberedBatch(1, 100)); err != nil {
		t.Errorf("Append = %v, want success", err)
	}
	if problem := j.Stats().Problem; problem != "" {
		t.Errorf("the problem is %q, want none", problem)
	}
}

// TestNoReserveIsNone leaves nothing free where nothing was asked for.
func TestNoReserveIsNone(t *testing.T) {
	t.Parallel()
	s := newStorage()
	s.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1})
	if _, err := s.open(t).Append(t.Context(), numberedBatch(0, 100)); err != nil {
		t.Errorf("Append = %v, want success: nobody asked for space to be left", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason  string
		prepare func(t *testing.T, s *storage)
		want    string
	}{
		"other format": {
			reason: "a later release may have stored what this one would misread",
			prepare: func(t *testing.T, s *storage) {
				t.Helper()
				db, err := pebble.Open("/journal", &pebble.Options{FS: s.fs, Logger: quiet{}})
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(db.Set([]byte("mformat"), []byte("9"), pebble.Sync), db.Close()); err != nil {
					t.Fatal(err)
				}
			},
			want: `format version "9"`,
		},
		"open twice": {
			reason:  "two processes must not share a directory",
			prepare: func(t *testing.T, s *storage) { t.Helper(); s.open(t) },
			want:    "another process",
		},
		"tiny bound": {
			reason:  "nothing would fit",
			prepare: func(_ *testing.T, s *storage) { s.change = func(o *embedded.Options) { o.MaxBytes = 1 } },
			want:    "below the minimum",
		},
		"no directory": {
			reason:  "the working directory is no default",
			prepare: func(_ *testing.T, s *storage) { s.change = func(o *embedded.Options) { o.Dir = "" } },
			want:    "directory",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStorage()
			test.prepare(t, s)
			j, err := embedded.Open(s.options())
			if err == nil {
				j.Close() //nolint:errcheck // the test has failed
				t.Fatalf("opened; %s", test.reason)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not name %q", err, test.want)
			}
		})
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)           {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Fatalf(format string, a ...any) { slog.Error("fatal", "error", fmt.Errorf(format, a...)) }
