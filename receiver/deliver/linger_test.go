package deliver_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/deliver"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
)

// sizes returns how large the batches are that a sink gets from now on.
func (b *bench) sizes() func() []int {
	var mu sync.Mutex
	var sizes []int
	b.sink.decide(func(_ context.Context, ids []string) error {
		mu.Lock()
		defer mu.Unlock()
		sizes = append(sizes, len(ids))
		return nil
	})
	return func() []int {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(sizes)
	}
}

func TestOnlyABatchThatIsNotFullLingers(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		sizes := b.sizes()
		want := func(when string, want ...int) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(want, sizes()); diff != "" {
				t.Errorf("%s: %s", when, diff)
			}
		}
		d := defaults()
		d.MaxInFlight, d.BatchMaxEvents, d.LingerMilliseconds = 1, 4, 50
		b.append("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
		b.start(d, "")
		want("at once", 4, 4)
		time.Sleep(20 * time.Millisecond)
		b.append("10")
		time.Sleep(29 * time.Millisecond)
		want("before the time is over", 4, 4)
		time.Sleep(time.Millisecond)
		want("when the time is over", 4, 4, 3)
		b.append("11")
		time.Sleep(20 * time.Millisecond)
		b.append("12", "13", "14", "15")
		want("when it is full", 4, 4, 3, 4)
		time.Sleep(50 * time.Millisecond)
		want("in the end", 4, 4, 3, 4, 1)
	})
}

func TestABatchGoesAtOnceWithoutLingering(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		sizes := b.sizes()
		d := defaults()
		d.MaxInFlight, d.BatchMaxEvents = 1, 4
		b.append("0", "1", "2", "3", "4", "5")
		b.start(d, "")
		synctest.Wait()
		if diff := cmp.Diff([]int{4, 2}, sizes()); diff != "" {
			t.Error(diff)
		}
	})
}

// fetches is a journal that notes how many deliveries it is asked for at a time.
type fetches struct {
	journal.Journal
	mu     sync.Mutex
	limits []int
}

func (f *fetches) Queue(sink string) journal.Queue { return &fetchesOf{f.Journal.Queue(sink), f} }

type fetchesOf struct {
	journal.Queue
	all *fetches
}

func (q *fetchesOf) Fetch(ctx context.Context, limit journal.Limit) ([]journal.Delivery, error) {
	q.all.mu.Lock()
	q.all.limits = append(q.all.limits, limit.Events)
	q.all.mu.Unlock()
	return q.Queue.Fetch(ctx, limit)
}

func TestOnlyASinkThatTakesEventsHasSeveralBatchesFetched(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		d := defaults()
		d.MaxInFlight, d.BatchMaxEvents = 1, 100
		f := &fetches{Journal: b.journal}
		w := deliver.New(deliver.Options{
			Name: sinkName, Sink: b.sink, Delivery: d, Journal: f,
			Metrics: metrics.New(prometheus.NewRegistry()).Sink(sinkName), Logger: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(context.Background())
		go w.Run(ctx)
		defer func() {
			cancel()
			synctest.Wait()
		}()
		b.append(numbered("a", 100)...)
		synctest.Wait()
		b.sink.decide(func(context.Context, []string) error { return errors.New("down") })
		b.append(numbered("b", 100)...)
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		if diff := cmp.Diff([]int{100, 400, 100}, f.limits[:3]); diff != "" {
			t.Error(diff)
		}
	})
}
