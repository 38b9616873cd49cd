package intake_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
)

// storesNothing is a journal that takes everything at once.
type storesNothing struct{}

func (storesNothing) Append(_ context.Context, b journal.Batch) (journal.Receipt, error) {
	return journal.Receipt{Accepted: len(b.Entries), DeadLettered: len(b.DeadLetters)}, nil
}

// answers takes an answer as net/http does: with a new map of headers for each request.
type answers struct {
	header http.Header
	status int
}

func (a *answers) Header() http.Header           { return a.header }
func (a *answers) WriteHeader(status int)        { a.status = status }
func (*answers) Write(p []byte) (int, error)     { return len(p), nil }
func (*answers) SetReadDeadline(time.Time) error { return nil }

// BenchmarkServe measures what one request costs outside of net/http and of the journal.
func BenchmarkServe(b *testing.B) {
	m := metrics.New(prometheus.NewRegistry())
	h := intake.NewHandler(intake.Options{Journal: storesNothing{}, Metrics: m, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	h.Swap(compile(b, m, emailEngine(func(e *config.Endpoint) {
		e.Routes = append(e.Routes, config.Route{Name: "bounces", Sink: "alerts", Filter: `event.type == "email.bounced"`})
	})))
	r := sample(b, "EmailEngine", "messageBounce", "/hooks/mail/ee")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	content := bytes.NewReader(body)
	r.Body = io.NopCloser(content)
	for b.Loop() {
		content.Reset(body)
		w := &answers{header: http.Header{}}
		if h.ServeHTTP(w, r); w.status != http.StatusOK {
			b.Fatalf("status %d", w.status)
		}
	}
}
