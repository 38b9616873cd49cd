package deliver

import (
	"context"
	"sync"

	"github.com/mailvane/mailvane/receiver/sink"
)

// begin has a sink that connects before the first event do so, again and again until it has. It returns an error when ctx ends.
func (w *Worker) begin(ctx context.Context) error {
	starter, ok := w.options.Sink.(sink.Starter)
	for ok {
		if err := w.gate.enter(ctx); err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, w.policy.timeout)
		err := starter.Start(limited)
		cancel()
		switch {
		case err == nil:
			w.started()
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		_, healthy := w.gate.failed(sink.RetryAfter(err))
		w.down(err, healthy)
	}
	return nil
}

// started records that the sink has connected. Where a probe can tell, it says whether events will be taken.
func (w *Worker) started() {
	if _, ok := w.options.Sink.(sink.Prober); ok {
		w.connection.forget()
	} else {
		w.connection.succeeded()
	}
	w.opened()
}

// probe begins to look after the connection of a sink that can be asked about it.
func (w *Worker) probe(ctx context.Context, group *sync.WaitGroup) {
	if s, ok := w.options.Sink.(sink.Prober); ok {
		p := &prober{sink: s, gate: w.gate, connection: &w.connection}
		group.Go(func() { p.run(ctx) })
	}
}
