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

// arrivals counts the distinct events that reach the demo's sinks, and shows each of them where that is asked for.
type arrivals struct {
	verbose bool

	mu    sync.Mutex
	out   io.Writer
	ids   map[string]struct{}            // source and id of each event
	types map[string]map[string]struct{} // by source
	count map[string]int                 // by source
}

func newArrivals(out io.Writer, verbose bool) *arrivals {
	return &arrivals{
		verbose: verbose, out: out,
		ids: map[string]struct{}{}, types: map[string]map[string]struct{}{}, count: map[string]int{},
	}
}

func (a *arrivals) say(format string, values ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintf(a.out, format, values...)
}

// tell says what only those who asked for more want to read.
func (a *arrivals) tell(format string, values ...any) {
	if a.verbose {
		a.say(format, values...)
	}
}

// of returns how many distinct events of a source arrived, and of how many types they are.
func (a *arrivals) of(source string) (events, types int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count[source], len(a.types[source])
}

func (a *arrivals) arrived(sink string, structured []byte) error {
	envelope, err := event.ParseEnvelope(structured)
	if err != nil {
		return err
	}
	a.note(&envelope.Attributes)
	a.tell("   <- %-8s %-42s %-22s %s\n", sink, envelope.Type, envelope.ProviderEvent, envelope.Subject)
	return nil
}

func (a *arrivals) note(e *event.Attributes) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := e.Source + " " + e.ID
	if _, known := a.ids[id]; known {
		return
	}
	a.ids[id] = struct{}{}
	a.count[e.Source]++
	if a.types[e.Source] == nil {
		a.types[e.Source] = map[string]struct{}{}
	}
	a.types[e.Source][e.Type] = struct{}{}
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
