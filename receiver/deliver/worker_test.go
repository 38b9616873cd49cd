package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/deliver"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
)

const sinkName = "mail/crm"

// recorder is a sink in the test's own process whose answers the test decides.
type recorder struct {
	mu     sync.Mutex
	ids    []string // in the order of arrival
	sends  int
	answer func(ctx context.Context, ids []string) error
}

func (r *recorder) Send(ctx context.Context, messages []sink.Message) error {
	ids := make([]string, 0, len(messages))
	for _, m := range messages {
		e, err := event.ParseEnvelope(m.Envelope)
		if err != nil {
			return sink.Permanent(err)
		}
		ids = append(ids, e.ID)
	}
	r.mu.Lock()
	r.sends++
	answer := r.answer
	r.mu.Unlock()
	if answer != nil {
		if err := answer(ctx, ids); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, ids...)
	return nil
}

func (*recorder) Close() error { return nil }

func (r *recorder) arrived() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.ids...)
}

func (r *recorder) sent() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sends
}

// decide changes the sink's answer.
func (r *recorder) decide(answer func(ctx context.Context, ids []string) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// bench is one journal with one worker, in fake time.
type bench struct {
	t       *testing.T
	journal *embedded.Journal
	sink    *recorder
	worker  *deliver.Worker // the last that was started
	stop    func()
}

func defaults() config.Delivery {
	return config.Delivery{
		MaxInFlight: 4, BatchMaxEvents: 16, BatchMaxBytes: 1 << 20, TimeoutSeconds: 15,
		InitialBackoffMilliseconds: 500, MaxBackoffSeconds: 300, MaxAgeSeconds: 259_200, Ordering: config.Unordered,
	}
}

// run calls test in a bubble of fake time.
func run(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, err := embedded.Open(embedded.Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, journal: j, sink: &recorder{}, stop: func() {}}
		defer func() {
			b.stop()
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, b)
	})
}

func (b *bench) start(d config.Delivery, deadLetterSink string) *deliver.Worker {
	b.t.Helper()
	predecessor := b.worker
	w := deliver.New(deliver.Options{
		Name: sinkName, Sink: b.sink, Delivery: d, DeadLetterSink: deadLetterSink, Journal: b.journal,
		Metrics: metrics.New(prometheus.NewRegistry()).Sink(sinkName), Logger: slog.New(slog.DiscardHandler), DrainTimeout: time.Second,
	})
	if predecessor != nil {
		w.Succeed(predecessor)
	}
	b.worker = w
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	b.stop = func() {
		cancel()
		<-done
	}
	return w
}

// append stores events with the given ids, whose keys are what is before a dash.
func (b *bench) append(ids ...string) {
	b.t.Helper()
	var batch journal.Batch
	for _, id := range ids {
		key, _, _ := strings.Cut(id, "-")
		e := &event.Event{ID: id, Type: event.Delivered, Provider: "Test", Time: time.Now(), PartitionKey: key}
		payload, err := event.Encode(e, event.Source("mail", "endpoint"))
		if err != nil {
			b.t.Fatal(err)
		}
		batch.Entries = append(batch.Entries, journal.Entry{
			DedupeKeys: []string{id}, OrderingKey: key, Sinks: []string{sinkName}, AcceptedAt: time.Now(), Payload: payload,
		})
	}
	if _, err := b.journal.Append(context.Background(), batch); err != nil {
		b.t.Fatal(err)
	}
}

// wait lets fake time pass until nothing is owed, at most for d.
func (b *bench) wait(d time.Duration) {
	b.t.Helper()
	for deadline := time.Now().Add(d); ; time.Sleep(50 * time.Millisecond) {
		synctest.Wait()
		pending := b.journal.Stats().Pending[sinkName]
		if pending == 0 {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%d deliveries are still owed after %v", pending, d)
		}
	}
}

func (b *bench) deadLetters() []journal.DeadLetter {
	b.t.Helper()
	letters, err := b.journal.DeadLetters().List(context.Background(), 0, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	return letters
}

func numbered(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%04d", prefix, i)
	}
	return ids
}

func wantSet(t *testing.T, want, got []string) {
	t.Helper()
	count := map[string]int{}
	for _, id := range got {
		count[id]++
	}
	for _, id := range want {
		if count[id] == 0 {
			t.Errorf("%s did not arrive", id)
		}
		delete(count, id)
	}
	if len(count) > 0 {
		t.Errorf("arrived, but should not have: %v", count)
	}
}

func TestEverythingArrivesInBatches(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 100)
		b.append(ids...)
		d := defaults()
		d.MaxInFlight = 1
		b.start(d, "")
		b.wait(time.Minute)
		if diff := cmp.Diff(ids, b.sink.arrived()); diff != "" {
			t.Errorf("arrived (-want +got):\n%s", diff)
		}
		if b.sink.sent() != 7 {
			t.Errorf("%d sends, want 7 of up to 16 events", b.sink.sent())
		}
	})
}

func TestOnlyTheRefusedEventOfABatchDies(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 16)
		bad := ids[5]
		b.sink.decide(func(_ context.Context, ids []string) error {
			if slices.Contains(ids, bad) {
				return sink.Permanent(errors.New("answered 422: no such list"))
			}
			return nil
		})
		b.append(ids...)
		b.start(defaults(), "")
		b.wait(time.Minute)
		wantSet(t, append(append([]string{}, ids[:5]...), ids[6:]...), b.sink.arrived())
		letters := b.deadLetters()
		if len(letters) != 1 || letters[0].EventID != bad || letters[0].Cause != journal.CauseRefused ||
			letters[0].Reason != "answered 422: no such list" || letters[0].Endpoint != "mail/endpoint" || letters[0].Sink != sinkName {
			t.Errorf("dead letters: %+v", letters)
		}
		if b.sink.sent() > 1+2*4 {
			t.Errorf("%d sends to find one event of 16", b.sink.sent())
		}
	})
}

func TestAnOutageLosesNothingAndCountsAgainstNobody(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		back := time.Now().Add(2 * time.Hour)
		b.sink.decide(func(context.Context, []string) error {
			if time.Now().Before(back) {
				return errors.New("connection refused")
			}
			return nil
		})
		ids := numbered("a", 500)
		b.append(ids...)
		w := b.start(defaults(), "")
		time.Sleep(time.Hour)
		if h := w.Health(); h.Healthy || h.LastError != "connection refused" {
			t.Errorf("health during the outage: %+v", h)
		}
		if b.sink.sent() > 600 {
			t.Errorf("%d sends in an hour of outage", b.sink.sent())
		}
		time.Sleep(time.Hour)
		b.wait(time.Minute)
		wantSet(t, ids, b.sink.arrived())
		if n := len(b.deadLetters()); n != 0 {
			t.Errorf("%d dead letters", n)
		}
		if !w.Health().Healthy {
			t.Error("not healthy after the outage")
		}
	})
}

func TestRetryAfterIsHonouredAndCapped(t *testing.T) {
	for name, tc := range map[string]struct{ after, atLeast, atMost time.Duration }{
		"honoured": {20 * time.Second, 20 * time.Second, 2 * time.Minute},
		"capped":   {1000 * time.Hour, 300 * time.Second, 20 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				first := true
				var again time.Time
				b.sink.decide(func(context.Context, []string) error {
					if first {
						first = false
						return sink.Throttled(errors.New("answered 429"), tc.after)
					}
					again = time.Now()
					return nil
				})
				started := time.Now()
				b.append("a-1")
				b.start(defaults(), "")
				b.wait(2 * tc.atMost)
				if waited := again.Sub(started); waited < tc.atLeast || waited > tc.atMost {
					t.Errorf("tried again after %v", waited)
				}
			})
		})
	}
}

func TestAnEventThatBreaksTheSinkEndsAlone(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 64)
		poison := ids[3]
		b.sink.decide(func(_ context.Context, ids []string) error {
			if slices.Contains(ids, poison) {
				return errors.New("answered 500")
			}
			return nil
		})
		b.append(ids...)
		d := defaults()
		d.MaxAgeSeconds = 3600
		b.start(d, "")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		wantSet(t, append(append([]string{}, ids[:3]...), ids[4:]...), b.sink.arrived())
		b.wait(2 * time.Hour)
		letters := b.deadLetters()
		if len(letters) != 1 || letters[0].EventID != poison || letters[0].Cause != journal.CauseExpired {
			t.Errorf("dead letters: %+v", letters)
		}
	})
}

func TestEventsThatBreakTheSinkAreNotAllItIsOffered(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 20)
		poison := ids[:3]
		b.sink.decide(func(_ context.Context, ids []string) error {
			for _, id := range poison {
				if slices.Contains(ids, id) {
					return errors.New("answered 500")
				}
			}
			return nil
		})
		b.append(ids...)
		d := defaults()
		d.MaxInFlight, d.BatchMaxEvents = 1, 1
		b.start(d, "")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		wantSet(t, ids[3:], b.sink.arrived())
	})
}

func TestASinkThatHangsHoldsOnlyItsSlot(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 40)
		b.sink.decide(func(ctx context.Context, batch []string) error {
			if slices.Contains(batch, ids[0]) {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		b.append(ids...)
		d := defaults()
		d.MaxInFlight, d.BatchMaxEvents, d.TimeoutSeconds = 2, 1, 60
		b.start(d, "")
		time.Sleep(time.Second)
		synctest.Wait()
		wantSet(t, ids[1:], b.sink.arrived())
	})
}

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

func TestDeadLettersGoToTheirSink(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.sink.decide(func(context.Context, []string) error { return sink.Permanent(errors.New("answered 410")) })
		b.append("a-1")
		b.start(defaults(), "mail/dead")
		b.wait(time.Minute)
		diverted, err := b.journal.Queue("mail/dead").Fetch(context.Background(), journal.Limit{Events: 10})
		if err != nil || len(diverted) != 1 {
			t.Fatalf("diverted: %v, %v", diverted, err)
		}
		envelope, err := event.ParseEnvelope(diverted[0].Payload)
		if err != nil || envelope.ID != "a-1" || envelope.DeadLetterSink != sinkName || envelope.DeadLetterReason != "answered 410" {
			t.Errorf("envelope %+v, %v", envelope.Attributes, err)
		}
		if n := len(b.deadLetters()); n != 0 {
			t.Errorf("%d dead letters in the journal", n)
		}
	})
}

func TestADivertedEventIsNotDivertedAgain(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.sink.decide(func(context.Context, []string) error { return sink.Permanent(errors.New("answered 410")) })
		b.append("a-1")
		b.start(defaults(), sinkName) // its own dead-letter sink: the shortest circle
		b.wait(time.Minute)
		if letters := b.deadLetters(); len(letters) != 1 || letters[0].Cause != journal.CauseRefused {
			t.Errorf("dead letters: %+v", letters)
		}
	})
}

func TestAStoppedWorkerGivesItsLeasesBack(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.sink.decide(func(ctx context.Context, _ []string) error {
			<-ctx.Done()
			return ctx.Err()
		})
		ids := numbered("a", 200)
		b.append(ids...)
		d := defaults()
		d.BatchMaxEvents = 1 // more is leased than is being sent
		b.start(d, "")
		time.Sleep(100 * time.Millisecond)
		b.stop()
		b.sink.decide(nil)
		b.start(d, "")
		b.wait(time.Minute)
		wantSet(t, ids, b.sink.arrived())
	})
}

func TestTheRateIsLimited(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.append(numbered("a", 300)...)
		d := defaults()
		d.EventsPerSecond, d.BatchMaxEvents = 10, 10
		started := time.Now()
		b.start(d, "")
		b.wait(time.Hour)
		if took := time.Since(started); took < 28*time.Second || took > 40*time.Second {
			t.Errorf("300 events at 10/s took %v", took)
		}
	})
}
