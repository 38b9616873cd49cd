package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

const (
	cutSink = "mail/sink"
	// cutBatch is how many entries are appended together: after a power cut there are all or none of them.
	cutBatch = 3
)

// world is what the outside knows: what was acknowledged, and what the sink has taken.
type world struct {
	mu    sync.Mutex
	acked map[string]bool
	taken map[string]bool
}

func (w *world) ack(ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.acked[id] = true
	}
}

func (w *world) take(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken[id] = true
}

func (w *world) snapshot() (acked, taken map[string]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.acked), maps.Clone(w.taken)
}

// TestPowerCut cuts the power at random moments, with a random part of what was not synced lost. What was acknowledged
// before must be owed, or be a dead letter, or have been taken by the sink.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for range 6 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			cutPower(t, rand.New(rand.NewPCG(seed, seed)))
		})
	}
}

func cutPower(t *testing.T, rng *rand.Rand) {
	const writers, cuts = 8, 12
	s := newStorage()
	// A small bound makes small memtables, so that logs are changed and tables are written while the power is cut.
	s.change = func(o *embedded.Options) { o.MaxBytes, o.MinFreeBytes = 8<<20, -1 }
	j := s.open(t)
	w := &world{acked: map[string]bool{}, taken: map[string]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for n := range writers {
		running.Go(func() { appendUntil(ctx, t, j, w, n) })
	}
	consumerRNG := rand.New(rand.NewPCG(rng.Uint64(), 0))
	running.Go(func() { consumeUntil(ctx, t, j, w, consumerRNG) })
	for range cuts {
		time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond) // a random moment is what is tested
		acked, _ := w.snapshot()
		clone := s.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(4) * 33, RNG: rng})
		_, taken := w.snapshot()
		checkAfterCut(t, clone, acked, taken)
	}
	stop()
	running.Wait()
}

// appendUntil appends until ctx ends.
func appendUntil(ctx context.Context, t *testing.T, j *embedded.Journal, w *world, writer int) {
	for n := 0; ctx.Err() == nil; n++ {
		var b journal.Batch
		var ids []string
		for i := range cutBatch {
			id := fmt.Sprintf("%d-%d-%d", writer, n, i)
			ids = append(ids, id)
			payload := append([]byte(id+" "), make([]byte, (n*37+i*911)%2000)...)
			b.Entries = append(b.Entries, journal.Entry{DedupeKeys: []string{id}, OrderingKey: id, Sinks: []string{cutSink}, Payload: payload})
		}
		_, err := j.Append(ctx, b)
		switch {
		case err == nil:
			w.ack(ids...)
		case ctx.Err() == nil:
			time.Sleep(time.Millisecond) // it is full; the consumer makes room
		}
		if ctx.Err() == nil && err != nil && !errors.Is(err, journal.ErrFull) {
			t.Errorf("Append: %v", err)
			return
		}
	}
}

// consumeUntil settles deliveries in all ways until ctx ends.
func consumeUntil(ctx context.Context, t *testing.T, j *embedded.Journal, w *world, rng *rand.Rand) {
	q := j.Queue(cutSink)
	for {
		deliveries, err := q.Fetch(ctx, journal.Limit{Events: 20})
		if err != nil {
			return
		}
		settlements := make([]journal.Settlement, len(deliveries))
		for i, d := range deliveries {
			settlements[i] = journal.Settlement{Deliveries: deliveries[i : i+1], Outcome: journal.Outcome(rng.IntN(4)), At: time.Now()}
			if settlements[i].Outcome == journal.Delivered {
				w.take(d.OrderingKey)
			}
			if settlements[i].Outcome == journal.Dead {
				settlements[i].DeadLetter = &journal.DeadLetter{Cause: journal.CauseRefused, EventID: d.OrderingKey}
			}
		}
		if err := q.Settle(ctx, settlements); err != nil {
			t.Errorf("Settle: %v", err)
			return
		}
	}
}

func checkAfterCut(t *testing.T, clone *vfs.MemFS, acked, taken map[string]bool) {
	t.Helper()
	s := &storage{fs: clone}
	j := s.open(t)
	present := map[string]bool{}
	for id := range everyDelivery(t, j) {
		if present[id] {
			t.Errorf("%s is owed twice", id)
		}
		present[id] = true
	}
	letters, err := j.DeadLetters().List(t.Context(), 0, 1<<30)
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	for _, l := range letters {
		if present[l.EventID] {
			t.Errorf("%s is owed and a dead letter", l.EventID)
		}
		present[l.EventID] = true
	}
	for id := range acked {
		if !present[id] && !taken[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	checkWhole(t, present, taken)
	if err := j.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// checkWhole checks that batches are there as a whole.
func checkWhole(t *testing.T, present, taken map[string]bool) {
	t.Helper()
	for id := range present {
		batch := id[:strings.LastIndexByte(id, '-')]
		for i := range cutBatch {
			if other := fmt.Sprintf("%s-%d", batch, i); !present[other] && !taken[other] {
				t.Errorf("%s is there without %s of the same batch", id, other)
			}
		}
	}
}

// everyDelivery yields the ids of all that is owed, and of what comes although it is not counted.
func everyDelivery(t *testing.T, j *embedded.Journal) func(func(string) bool) {
	return func(yield func(string) bool) {
		if err := j.Recall(); err != nil { // all is counted then
			t.Errorf("Recall: %v", err)
			return
		}
		seen, owed := int64(0), j.Stats().Pending[cutSink]
		for {
			wait := time.Minute
			if seen >= owed {
				wait = 20 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			deliveries, err := j.Queue(cutSink).Fetch(ctx, journal.Limit{Events: 1000})
			cancel()
			if err != nil && seen < owed {
				t.Errorf("%d of %d deliveries came: %v", seen, owed, err)
			}
			if err != nil {
				return
			}
			seen += int64(len(deliveries))
			for _, d := range deliveries {
				if !yield(d.OrderingKey) {
					return
				}
			}
		}
	}
}
