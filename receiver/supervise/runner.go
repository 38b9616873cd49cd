package supervise

import (
	"context"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/content"
	"github.com/mailvane/mailvane/receiver/deliver"
	"github.com/mailvane/mailvane/receiver/sink"
)

// runner is one sink with its worker.
type runner struct {
	name     string
	kind     string
	spec     []byte // the canonical configuration, to recognise a change
	sink     sink.Sink
	content  *content.Content
	delivery config.Delivery
	worker   *deliver.Worker
	stop     context.CancelFunc
	done     chan struct{} // closed when the worker has ended and the sink is closed
}

// start runs a worker once its predecessor, which may be nil, has ended: a queue has one consumer at a time.
func (r *runner) start(ctx context.Context, o *Options, predecessor *runner) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop, r.done = stop, make(chan struct{})
	r.worker = deliver.New(deliver.Options{
		Name: r.name, Kind: r.kind, Sink: r.sink, Content: r.content, Delivery: r.delivery, DeadLetterSink: r.delivery.DeadLetterSink,
		Journal: o.Journal, Metrics: o.Metrics.Sink(r.name), Logger: o.Logger, DrainTimeout: drainTimeout, Recorder: o.Recorder, Tracer: o.Tracer,
	})
	go func() {
		defer close(r.done)
		if predecessor != nil {
			predecessor.stop()
			<-predecessor.done
			r.worker.Succeed(predecessor.worker)
		}
		r.worker.Run(ctx)
		if err := r.sink.Close(); err != nil {
			o.Logger.Warn("sink did not close", "sink", r.name, "error", err)
		}
	}()
}

// ended reports whether the worker has ended and the sink is closed.
func (r *runner) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
