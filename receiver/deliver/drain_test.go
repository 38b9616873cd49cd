package deliver_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/deliver"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
	sinks "github.com/mailvane/mailvane/receiver/sink/builtin"
)

// BenchmarkDrain delivers a backlog from memory to an HTTP destination on loopback: what a worker and the sink cost by themselves.
func BenchmarkDrain(b *testing.B) {
	for _, mode := range []string{"Structured", "Batched"} {
		b.Run(mode, func(b *testing.B) {
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
			}))
			defer server.Close()
			kind, _ := sinks.Lookup("HTTP")
			s, err := kind.New(fmt.Appendf(nil, `{"url":%q,"contentMode":%q}`, server.URL, mode), sink.Environment{})
			if err != nil {
				b.Fatal(err)
			}
			drain(b, s)
		})
	}
}

func drain(b *testing.B, s sink.Sink) {
	b.Helper()
	payload, err := event.Encode(&event.Event{
		ID: event.HashID("one"), Type: event.Bounced, Provider: "EmailEngine", Time: time.Now(), Recipient: "to@example.com",
		MessageID: "message@example.com", Raw: fmt.Appendf(nil, `{"text":"%0900d"}`, 1),
	}, event.Source("mail", "endpoint"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(payload)))
	b.ResetTimer()
	j := &backlog{left: b.N, payload: payload, empty: make(chan struct{})}
	d := defaults()
	d.BatchMaxEvents, d.MaxInFlight = 500, 8
	w := deliver.New(deliver.Options{
		Name: sinkName, Sink: s, Delivery: d, Journal: j, Metrics: metrics.New(prometheus.NewRegistry()).Sink(sinkName),
		Logger: slog.New(slog.DiscardHandler), DrainTimeout: time.Minute,
	})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(ctx)
	}()
	<-j.empty
	cancel()
	<-ended
}

// backlog is a journal with one queue of equal events, which forgets what is settled.
type backlog struct {
	journal.Journal
	payload []byte
	empty   chan struct{}

	mu       sync.Mutex
	left     int
	sequence uint64
	owed     int
}

// Present is the time of the machine.
func (j *backlog) Present() time.Time { return time.Now() }

func (j *backlog) Queue(string) journal.Queue { return j }

func (j *backlog) Fetch(ctx context.Context, limit journal.Limit) ([]journal.Delivery, error) {
	j.mu.Lock()
	n := min(limit.Events, j.left)
	j.left -= n
	j.owed += n
	deliveries := make([]journal.Delivery, n)
	for i := range deliveries {
		j.sequence++
		deliveries[i] = journal.Delivery{Sequence: j.sequence, OrderingKey: "message@example.com", AcceptedAt: time.Now(), Payload: j.payload}
	}
	j.mu.Unlock()
	if n > 0 {
		return deliveries, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (j *backlog) Settle(_ context.Context, settlements []journal.Settlement) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range settlements {
		j.owed -= len(settlements[i].Deliveries)
	}
	if j.left == 0 && j.owed == 0 {
		close(j.empty)
	}
	return nil
}
