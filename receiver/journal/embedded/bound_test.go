package embedded_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// TestTheBoundIsKept fills a journal with large events and dead letters, again and again after it was emptied, and watches its files.
func TestTheBoundIsKept(t *testing.T) {
	t.Parallel()
	const bound = 64 << 20
	dir := t.TempDir()
	j, err := embedded.Open(embedded.Options{Dir: dir, MaxBytes: bound, MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // nothing depends on it
	var peak atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				peak.Store(max(peak.Load(), filesOf(dir)))
			}
		}
	}()
	random := rand.NewChaCha8([32]byte{1})
	for _, size := range []int{10 << 20, 100 << 10, 3 << 20} {
		if stored := fillWith(t, j, random, size); stored*size < bound/8 {
			t.Errorf("it is full with %d events of %d bytes", stored, size)
		}
		empty(t, j)
	}
	close(stop)
	<-stopped
	t.Logf("largest size %d MiB", peak.Load()>>20)
	if peak.Load() > bound {
		t.Errorf("the files took %d bytes, the bound is %d", peak.Load(), bound)
	}
}

// fillWith adds events of a size, and smaller dead letters, until the journal is full.
func fillWith(t *testing.T, j *embedded.Journal, random *rand.ChaCha8, size int) (stored int) {
	t.Helper()
	for {
		payload := make([]byte, size)
		_, _ = random.Read(payload) // it never fails
		b := journal.Batch{Entries: []journal.Entry{{Sinks: []string{cutSink}, Payload: payload}}}
		if stored%4 == 0 {
			b.DeadLetters = []journal.DeadLetter{{Cause: journal.CauseUndecodable, Payload: payload[:size/4]}}
		}
		_, err := j.Append(t.Context(), b)
		for tries := 0; errors.Is(err, journal.ErrFull) && tries < 25; tries++ { // as senders do: it may be merging
			time.Sleep(20 * time.Millisecond)
			_, err = j.Append(t.Context(), b)
		}
		switch {
		case errors.Is(err, journal.ErrDeadLetters), err == nil:
			stored++
		case errors.Is(err, journal.ErrFull):
			return stored
		default:
			t.Fatal(err)
		}
	}
}

// empty settles and drops all, and waits until there is room again.
func empty(t *testing.T, j *embedded.Journal) {
	t.Helper()
	q := j.Queue(cutSink)
	for j.Stats().Pending[cutSink] > 0 {
		deliveries, err := q.Fetch(t.Context(), journal.Limit{Events: 10})
		if err == nil {
			err = q.Settle(t.Context(), []journal.Settlement{{Deliveries: deliveries, Outcome: journal.Delivered}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	letters, err := j.DeadLetters().List(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	tooLarge := journal.Batch{Entries: []journal.Entry{{Sinks: []string{cutSink}, Payload: make([]byte, j.Stats().MaxBytes)}}}
	for i := range letters {
		if _, err := j.DeadLetters().Drop(t.Context(), []uint64{letters[i].ID}); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(time.Minute); j.Stats().UsedBytes > j.Stats().MaxBytes*3/8; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still %d bytes are in use", j.Stats().UsedBytes)
		}
		if _, err := j.Append(t.Context(), tooLarge); !errors.Is(err, journal.ErrFull) {
			t.Fatalf("Append: %v", err)
		}
	}
}

func filesOf(dir string) int64 {
	total := int64(0)
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil || errors.Is(err, os.ErrNotExist) && info != nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// TestDroppedDeadLettersGiveTheirSpaceBack drops them from a journal that is full and takes nothing that would push it to tidy up.
func TestDroppedDeadLettersGiveTheirSpaceBack(t *testing.T) {
	t.Parallel()
	s := newStorage()
	s.change = func(o *embedded.Options) { o.MaxBytes = 32 << 20 }
	j := s.open(t)
	random := rand.NewChaCha8([32]byte{2})
	for err := error(nil); err == nil; {
		payload := make([]byte, 100<<10)
		_, _ = random.Read(payload) // it never fails
		_, err = j.Append(t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{{Cause: journal.CauseUndecodable, Payload: payload}}})
	}
	fillWith(t, j, random, 200<<10)
	before := j.Stats().UsedBytes
	letters, err := j.DeadLetters().List(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	ids, size := []uint64{}, int64(len(letters)*100<<10)
	for i := range letters {
		ids = append(ids, letters[i].ID)
	}
	if _, err := j.DeadLetters().Drop(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	big := journal.Batch{Entries: []journal.Entry{{Sinks: []string{cutSink}, Payload: make([]byte, 16<<20)}}} // does not fit
	for deadline := time.Now().Add(30 * time.Second); before-j.Stats().UsedBytes < size/2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d bytes were given back by %d dead letters", before-j.Stats().UsedBytes, size, len(ids))
		}
		if _, err := j.Append(t.Context(), big); !errors.Is(err, journal.ErrFull) {
			t.Fatalf("Append: %v", err)
		}
	}
}
