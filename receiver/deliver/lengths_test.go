package deliver_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/sink"
)

// TestWaitsAreShortWhileOthersPass has destinations that take something, with the waits that are the default. None of them is worth
// the wait of an outage.
func TestWaitsAreShortWhileOthersPass(t *testing.T) {
	t.Parallel()
	ids := numbered("a", 3000)
	fails := errors.New("answered 504")
	for name, tc := range map[string]struct {
		answer func(batch []string) error
		bad    []string
		change func(*config.Delivery)
		within time.Duration
	}{
		"100 at a time": {
			answer: func(batch []string) error {
				if len(batch) > 100 {
					return fails
				}
				return nil
			},
			within: 30 * time.Second,
		},
		"one bad": {
			answer: func(batch []string) error {
				if slices.Contains(batch, ids[1234]) {
					return fails
				}
				return nil
			},
			bad: ids[1234:1235], within: 30 * time.Second,
		},
		"one bad, and events one at a time": {
			answer: func(batch []string) error {
				if slices.Contains(batch, ids[1234]) {
					return fails
				}
				return nil
			},
			bad: ids[1234:1235], change: func(d *config.Delivery) { d.BatchMaxEvents = 1 }, within: 5 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				b.sink.decide(func(_ context.Context, batch []string) error { return tc.answer(batch) })
				b.append(ids...)
				d := defaults()
				d.BatchMaxEvents, d.MaxInFlight = 500, 32
				if tc.change != nil {
					tc.change(&d)
				}
				b.start(d, "")
				time.Sleep(tc.within)
				synctest.Wait()
				wantSet(t, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(tc.bad, id) }), b.sink.arrived())
			})
		})
	}
}

// TestABadEventClosesTheGateOnce has one event fail again and again while others come. It fails alone from then on, and holds up none
// of the others.
func TestABadEventClosesTheGateOnce(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		var mu sync.Mutex
		beside := 0
		b.sink.decide(func(_ context.Context, batch []string) error {
			if !slices.Contains(batch, "bad-1") {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			beside += len(batch) - 1
			return errors.New("answered 500")
		})
		b.append("bad-1")
		w := b.start(defaults(), "")
		time.Sleep(time.Minute)
		for _, id := range numbered("a", 600) {
			b.append(id)
			synctest.Wait()
			time.Sleep(time.Second)
			if h := w.Health(); id > "a-0060" && !h.Healthy {
				t.Fatalf("not healthy beside %s", id)
			}
		}
		if n := len(b.sink.arrived()); n != 600 || beside > 1 {
			t.Errorf("%d of 600 arrived, and %d failed beside the bad one", n, beside)
		}
	})
}

// TestSendsGrowAgain has a destination answer 503 for a while in the middle of a backlog. Then it gets full batches again.
func TestSendsGrowAgain(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		var down time.Time
		var sizes []int
		b.sink.decide(func(_ context.Context, batch []string) error {
			sizes = append(sizes, len(batch))
			if down.IsZero() && b.sink.sent() > 10 {
				down = time.Now()
			}
			if !down.IsZero() && time.Since(down) < 5*time.Minute {
				return errors.New("answered 503")
			}
			return nil
		})
		ids := numbered("a", 10_000)
		b.append(ids...)
		d := defaults()
		d.BatchMaxEvents, d.MaxInFlight = 500, 1
		b.start(d, "")
		time.Sleep(4 * time.Minute)
		before := b.sink.sent()
		b.wait(2 * time.Minute)
		wantSet(t, ids, b.sink.arrived())
		// Each probe of the outage left an event that failed alone, and the halves of one batch are sent one by one.
		if sent := b.sink.sent() - before; sent > 100 {
			t.Errorf("%d sends for what was left of 10,000 events, in all %v", sent, sizes)
		}
	})
}

// TestAnOutageWithoutConnectionsChangesNoLength has nothing of the events sent while the destination is away.
func TestAnOutageWithoutConnectionsChangesNoLength(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		back := time.Now().Add(time.Hour)
		sizes := []int{}
		b.sink.decide(func(_ context.Context, batch []string) error {
			if time.Now().Before(back) {
				return sink.Unreachable(errors.New("connection refused"))
			}
			sizes = append(sizes, len(batch))
			return nil
		})
		b.append(numbered("a", 160)...)
		d := defaults()
		d.MaxInFlight = 1
		b.start(d, "")
		time.Sleep(time.Hour)
		b.wait(time.Minute)
		if len(sizes) != 10 {
			t.Errorf("after the outage the events come in %v", sizes)
		}
	})
}

// TestTooManyRequestsDoNotMakeMoreOfThem has a destination take ten requests a minute, of any length.
func TestTooManyRequestsDoNotMakeMoreOfThem(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		taken := map[time.Time]int{}
		refused := 0
		b.sink.decide(func(context.Context, []string) error {
			minute := time.Now().Truncate(time.Minute)
			if taken[minute]++; taken[minute] > 10 {
				refused++
				return sink.Throttled(errors.New("answered 429"), time.Until(minute.Add(time.Minute)))
			}
			return nil
		})
		ids := numbered("a", 10_000)
		b.append(ids...)
		d := defaults()
		d.MaxInFlight, d.BatchMaxEvents = 1, 100
		started := time.Now()
		b.start(d, "")
		b.wait(time.Hour)
		wantSet(t, ids, b.sink.arrived())
		// 100 full batches take ten minutes.
		if took := time.Since(started); took > 13*time.Minute || refused > 13 {
			t.Errorf("10,000 events took %v, and %d requests too many", took, refused)
		}
	})
}

// TestRetryAfterIsWaitedForOnce has one event asked to wait again and again.
func TestRetryAfterIsWaitedForOnce(t *testing.T) {
	for name, tc := range map[string]struct{ after, want time.Duration }{
		"as long as is asked":                 {9 * time.Second, 9 * time.Second},
		"no longer than the policy's maximum": {99 * time.Second, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				var at []time.Time
				b.sink.decide(func(context.Context, []string) error {
					at = append(at, time.Now())
					return sink.Throttled(errors.New("answered 429"), tc.after)
				})
				b.append("a-1")
				d := defaults()
				d.InitialBackoffMilliseconds, d.MaxBackoffSeconds = 200, 20
				b.start(d, "")
				time.Sleep(3 * time.Minute)
				b.stop()
				for i := 1; i < len(at); i++ {
					// The wait of a failure that asks for none is at most 15 s, and the journal counts milliseconds.
					if wait := at[i].Sub(at[i-1]); wait < tc.want-time.Millisecond || wait > max(tc.want, 15*time.Second)+2*time.Millisecond {
						t.Errorf("request %d came after %v", i, wait)
					}
				}
				if len(at) < 9 || at[1].Sub(at[0]) > tc.want+2*time.Millisecond {
					t.Errorf("requests at %v", at)
				}
			})
		})
	}
}
