package deliver_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/content"
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

func (r *recorder) Send(ctx context.Context, batch sink.Batch) error {
	ids := make([]string, 0, len(batch.Messages))
	for _, m := range batch.Messages {
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
	// seen is the journal as workers see it.
	seen     journal.Journal
	sink     *recorder
	use      sink.Sink // what workers feed; nil = sink
	content  *content.Content
	told     deliver.Recorder // nil = nobody is told
	registry *prometheus.Registry
	worker   *deliver.Worker // the last that was started
	stop     func()
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
		b := &bench{t: t, journal: j, seen: j, sink: &recorder{}, registry: prometheus.NewRegistry(), stop: func() {}}
		defer func() {
			b.stop()
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, b)
	})
}

func (b *bench) metrics() *metrics.Sink {
	b.registry = prometheus.NewRegistry()
	return metrics.New(b.registry).Sink(sinkName)
}

func (b *bench) start(d config.Delivery, deadLetterSink string) *deliver.Worker {
	b.t.Helper()
	predecessor := b.worker
	use := b.use
	if use == nil {
		use = b.sink
	}
	w := deliver.New(deliver.Options{
		Name: sinkName, Sink: use, Content: b.content, Delivery: d, DeadLetterSink: deadLetterSink, Journal: b.seen,
		Metrics: b.metrics(), Logger: slog.New(slog.DiscardHandler), DrainTimeout: time.Second, Recorder: b.told,
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
	b.appendSized(0, ids...)
}

// appendSized stores events that are larger by size bytes.
func (b *bench) appendSized(size int, ids ...string) {
	b.t.Helper()
	var batch journal.Batch
	for _, id := range ids {
		key, _, _ := strings.Cut(id, "-")
		e := &event.Event{ID: id, Type: event.Delivered, Provider: "Test", Time: time.Now(), PartitionKey: key, Reason: strings.Repeat("x", size)}
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
