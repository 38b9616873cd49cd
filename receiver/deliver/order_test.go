package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

func TestEventsOfOneKeyArriveInOrder(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		failing := map[string]int{}
		var mu sync.Mutex
		b.sink.decide(func(_ context.Context, ids []string) error {
			mu.Lock()
			defer mu.Unlock()
			for _, id := range ids {
				// Every seventh event of a key fails twice, each at another moment.
				if strings.HasSuffix(id, "7") && failing[id] < 2 {
					failing[id]++
					return errors.New("answered 503")
				}
			}
			return nil
		})
		var ids []string
		for i := range 60 {
			for _, key := range []string{"a", "b", "c"} {
				ids = append(ids, fmt.Sprintf("%s-%04d", key, i))
			}
		}
		b.append(ids...)
		d := defaults()
		d.Ordering, d.MaxInFlight = config.ByKey, 8
		b.start(d, "")
		b.wait(3 * time.Hour)
		wantSet(t, ids, b.sink.arrived())
		last := map[string]string{}
		for _, id := range b.sink.arrived() {
			key, _, _ := strings.Cut(id, "-")
			if id < last[key] {
				t.Errorf("%s arrived after %s", id, last[key])
			}
			last[key] = id
		}
	})
}

func TestOrderOutlivesAChangeOfTheSink(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		fails := 0
		b.sink.decide(func(_ context.Context, _ []string) error {
			if fails++; fails%3 != 0 {
				return errors.New("answered 503")
			}
			return nil
		})
		ids := numbered("a", 100)
		b.append(ids...)
		d := defaults()
		d.Ordering, d.BatchMaxEvents = config.ByKey, 4
		for range 200 {
			b.start(d, "")
			time.Sleep(700 * time.Millisecond)
			b.stop()
		}
		b.sink.decide(nil)
		b.start(d, "")
		b.wait(time.Hour)
		if diff := cmp.Diff(ids, b.sink.arrived()); diff != "" {
			t.Errorf("arrived (-want +got):\n%s", diff)
		}
	})
}

// TestOrderOutlivesAFetchThatWasCut has two events of a key come back from the journal apart: the limit of a fetch is between them,
// and the first of them fails again before the second is fetched.
func TestOrderOutlivesAFetchThatWasCut(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		var sends atomic.Int64
		b.sink.decide(func(_ context.Context, ids []string) error {
			if ids[0] == "slow-1" { // it takes the second slot
				time.Sleep(time.Minute)
				return nil
			}
			switch sends.Add(1) {
			case 1:
				time.Sleep(time.Second) // meanwhile a-6 is fetched, and parked behind a-5
				return errors.New("answered 503")
			case 2:
				time.Sleep(10 * time.Millisecond)
				b.append("a-8") //nolint:contextcheck // it comes from elsewhere
				return errors.New("answered 503")
			}
			return nil
		})
		var ids []string
		for i := range 63 {
			ids = append(ids, fmt.Sprintf("x%02d-1", i))
		}
		b.append(append(ids, "a-5", "a-6")...)
		d := defaults()
		d.Ordering, d.MaxInFlight, d.BatchMaxEvents = config.ByKey, 2, 64
		b.start(d, "")
		time.Sleep(500 * time.Millisecond)
		b.append("slow-1")
		b.wait(10 * time.Minute)
		wantOrder(t, b, "a-5", "a-6", "a-8")
	})
}

// wantOrder compares the events of key a.
func wantOrder(t *testing.T, b *bench, want ...string) {
	t.Helper()
	got := slices.DeleteFunc(b.sink.arrived(), func(id string) bool { return id[0] != 'a' })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
}

// TestOrderOutlivesAChangeWhileTooMuchIsParked changes the sink when a part of what is behind a slow event is in memory, and a part
// is in the journal for a moment.
func TestOrderOutlivesAChangeWhileTooMuchIsParked(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.sink.decide(func(context.Context, []string) error {
			time.Sleep(500 * time.Millisecond)
			return nil
		})
		d := defaults()
		d.Ordering, d.MaxInFlight, d.BatchMaxBytes = config.ByKey, 2, 1<<30
		b.start(d, "")
		for n := range 4 {
			b.appendSized(7<<20, fmt.Sprint("a-", n+1))
		}
		time.Sleep(100 * time.Millisecond)
		b.stop()
		b.append("a-5")
		b.start(d, "")
		b.wait(time.Minute)
		wantOrder(t, b, "a-1", "a-2", "a-3", "a-4", "a-5")
	})
}

// TestAnEventThatNeverComesBackHoldsUpNobody has another receiver deliver an event that failed here, while it had the queue.
func TestAnEventThatNeverComesBackHoldsUpNobody(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		var fetches atomic.Int64
		b.seen = &hooked{
			Journal: b.journal,
			fetched: func([]journal.Delivery) { fetches.Add(1) },
			settle: func(_ context.Context, s []journal.Settlement) error {
				for i := range s {
					if s[i].Outcome == journal.Retry {
						s[i].Outcome = journal.Delivered
					}
				}
				return nil
			},
		}
		b.sink.decide(func(_ context.Context, ids []string) error {
			if slices.Contains(ids, "a-5") {
				return errors.New("answered 503")
			}
			return nil
		})
		d := defaults()
		d.Ordering = config.ByKey
		b.append("a-5")
		b.start(d, "")
		time.Sleep(time.Minute)
		b.append("a-9", "b-1")
		b.wait(2 * time.Minute)
		wantOrder(t, b, "a-9")
		if n := fetches.Load(); n > 1000 {
			t.Errorf("%d fetches", n)
		}
	})
}

// TestAFreedEventDoesNotWaitForOthers has an event become free while a retry of another is due much later, and nothing else is.
func TestAFreedEventDoesNotWaitForOthers(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		for round := range 20 { // which of two comes first is chance
			p := string(rune('A' + round))
			var mu sync.Mutex
			var failed, arrived time.Time
			b.sink.decide(func(_ context.Context, ids []string) error {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case len(ids) > 1:
					return sink.Permanent(errors.New("answered 413"))
				case ids[0] == p+"c-1" && failed.IsZero():
					failed = time.Now()
					return errors.New("answered 503")
				case ids[0] == p+"a-2":
					arrived = time.Now()
				}
				return nil
			})
			d := defaults()
			d.Ordering, d.MaxInFlight, d.BatchMaxEvents = config.ByKey, 2, 2
			d.InitialBackoffMilliseconds = 100_000 // for the event; the next look at the sink is after 15 s at most
			b.append(p+"a-1", p+"a-2", p+"c-1")
			b.start(d, "")
			time.Sleep(time.Second)
			b.append(p + "a-3")
			b.wait(time.Hour)
			b.stop()
			if waited := arrived.Sub(failed); waited > 16*time.Second {
				t.Errorf("an event waited %v for a sink that was up", waited)
			}
		}
	})
}

// TestWhatIsParkedIsBounded has a sink that hangs, and many large events behind the first of a key.
func TestWhatIsParkedIsBounded(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		var fetched, returned atomic.Int64
		b.seen = &hooked{
			Journal: b.journal,
			fetched: func(deliveries []journal.Delivery) {
				for _, d := range deliveries {
					fetched.Add(int64(len(d.Payload)))
				}
			},
			settle: func(_ context.Context, s []journal.Settlement) error {
				for _, one := range s {
					for _, d := range one.Deliveries {
						returned.Add(int64(len(d.Payload)))
					}
				}
				return nil
			},
		}
		b.sink.decide(func(ctx context.Context, _ []string) error {
			<-ctx.Done()
			return ctx.Err()
		})
		for n := range 60 {
			b.appendSized(1<<20, fmt.Sprintf("a-%02d", n))
		}
		d := defaults()
		d.Ordering, d.MaxInFlight = config.ByKey, 2
		b.start(d, "")
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if held := (fetched.Load() - returned.Load()) >> 20; held < 10 || held > 20 {
			t.Errorf("%d MiB are in memory", held)
		}
		b.stop() // before the sink gives up
	})
}

// TestWhatIsFreedIsCutIntoBatches frees several large events at once.
func TestWhatIsFreedIsCutIntoBatches(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		const limit = 100 << 10
		var largest atomic.Int64
		b.sink.decide(func(_ context.Context, ids []string) error {
			if size := int64(len(ids) * 40 << 10); strings.HasSuffix(ids[0], "-2") && size > largest.Load() {
				largest.Store(size)
			}
			time.Sleep(time.Second)
			return nil
		})
		var first, second []string
		for n := range 16 {
			first, second = append(first, fmt.Sprintf("k%d-1", n)), append(second, fmt.Sprintf("k%d-2", n))
		}
		b.append(first...)
		b.appendSized(40<<10, second...)
		d := defaults()
		d.Ordering, d.BatchMaxBytes, d.MaxInFlight = config.ByKey, limit, 2
		b.start(d, "")
		b.wait(time.Hour)
		if n := largest.Load(); n > limit || n < 80<<10 {
			t.Errorf("the largest batch had %d bytes, with a limit of %d", n, limit)
		}
	})
}
