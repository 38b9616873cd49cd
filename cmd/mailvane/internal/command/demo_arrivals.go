package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
)

// maxDeliveryBytes bounds what the demo's destination reads of one delivery.
const maxDeliveryBytes = 64 << 20

// arrivals shows events as they reach the demo's sinks and counts the distinct ones.
type arrivals struct {
	mu   sync.Mutex
	out  io.Writer
	seen map[string]struct{}
}

func newArrivals(out io.Writer) *arrivals { return &arrivals{out: out, seen: map[string]struct{}{}} }

func (a *arrivals) say(format string, values ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintf(a.out, format, values...)
}

func (a *arrivals) distinct() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.seen)
}

func (a *arrivals) arrived(sink string, structured []byte) error {
	envelope, err := event.ParseEnvelope(structured)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[envelope.Source+" "+envelope.ID] = struct{}{}
	_, err = fmt.Fprintf(a.out, "   <- %-8s %-42s %-22s %s\n", sink, envelope.Type, envelope.ProviderEvent, envelope.Subject)
	return err
}

// lines returns a writer that takes one event per line.
func (a *arrivals) lines(sink string) io.Writer { return lineWriter{a, sink} }

type lineWriter struct {
	arrivals *arrivals
	sink     string
}

// Write implements io.Writer; a sink writes whole lines.
func (w lineWriter) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if err := w.arrivals.arrived(w.sink, line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// destination is the demo's own HTTP server behind the quickstart's HTTP sink.
type destination struct {
	listener net.Listener
	server   *http.Server
}

func startDestination(ctx context.Context, a *arrivals) (*destination, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the demo's destination: %w", err)
	}
	d := &destination{listener: listener, server: &http.Server{Handler: takeBatch(a), ReadHeaderTimeout: time.Second * 10}}
	go func() {
		if err := d.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Default().Error("the demo's destination ended", "error", err)
		}
	}()
	return d, nil
}

func (d *destination) url() string { return "http://" + d.listener.Addr().String() + "/events" }

func (d *destination) stop() { _ = d.server.Close() } // the demo is over

// takeBatch takes CloudEvents in batched mode.
func takeBatch(a *arrivals) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var batch []jsontext.Value
		if err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, maxDeliveryBytes), &batch); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, structured := range batch {
			if err := a.arrived("crm", structured); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
	})
}
