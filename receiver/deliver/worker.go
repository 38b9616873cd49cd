// Package deliver hands the events in the journal to their sinks: one worker per sink, each with its own pace, so that a
// slow or broken sink holds up nobody else.
//
// A worker leases deliveries from its queue and sends them in batches. A batch that the sink refuses for good is split
// until only the events that it refuses are dead letters. A batch that fails for the moment goes back to the journal and is
// due again later, in halves, so that one event that breaks the sink ends up alone and the others arrive.
//
// Each job has a type of its own. On the way from the queue: [order], [batcher]; on the way to the sink, link by link: contentLink, rateLink,
// timeoutLink, observeLink, traceLink. The worker sees to what became of the events: it narrows down, retries and settles.
package deliver

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/content"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/tracing"
)

// Options are what a Worker needs.
type Options struct {
	// Name is the sink's name in the journal, "namespace/name".
	Name string
	// Kind is the type of the sink, such as "Kafka".
	Kind string
	// Sink takes the events. The worker does not close it.
	Sink sink.Sink
	// Delivery is the policy.
	Delivery config.Delivery
	// Content is what the sink may have of an event; nil = all of it.
	Content *content.Content
	// DeadLetterSink is the name in the journal of the sink that takes the dead letters, or empty.
	DeadLetterSink string
	// Journal is where events come from and dead letters go to.
	Journal journal.Journal
	// Metrics counts.
	Metrics *metrics.Sink
	// Logger is told when the sink goes down and comes back.
	Logger *slog.Logger
	// DrainTimeout is how long sends in flight may go on after Run's context has ended.
	DrainTimeout time.Duration
	// Recorder is told of attempts; nil = nobody is.
	Recorder Recorder
	// Tracer makes spans; nil = none are made.
	Tracer *tracing.Tracer
}

// Worker feeds one sink.
type Worker struct {
	options Options
	policy  policy
	queue   journal.Queue
	order   *order
	batches *batcher
	gate    *gate
	lengths *lengths
	// describe and chain are the way to the sink.
	describe   *describer
	chain      link
	failure    lastFailure
	connection connection
}

// New returns a worker. Run makes it work.
func New(o Options) *Worker {
	w := &Worker{options: o, policy: newPolicy(&o.Delivery, o.DeadLetterSink), queue: o.Journal.Queue(o.Name)}
	if limiter, ok := o.Sink.(sink.BatchLimiter); ok {
		w.policy.batchEvents = min(w.policy.batchEvents, limiter.MaxBatch())
	}
	w.gate = newGate(&w.policy)
	w.lengths = newLengths(w.policy.batchEvents)
	w.order = newOrder(w.queue, w.policy.byKey, w.settleAll)
	w.batches = &batcher{policy: &w.policy, gate: w.gate, lengths: w.lengths, order: w.order}
	w.describe, w.chain = newDescriber(o.Sink), newChain(&o, &w.policy)
	return w
}

// Succeed takes over from a worker of the same sink that has ended, before Run: what is in the journal must not be overtaken
// because the sink's configuration changed.
func (w *Worker) Succeed(predecessor *Worker) {
	w.order.succeed(predecessor.order)
}

// Run delivers until ctx ends, then waits for the sends in flight and gives every lease back.
func (w *Worker) Run(ctx context.Context) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	slots := make(chan struct{}, w.policy.maxInFlight)
	var group sync.WaitGroup
	w.probe(ctx, &group)
	err := w.begin(ctx)
	for err == nil {
		var batch []journal.Delivery
		batch, err = w.next(ctx, slots)
		if err != nil {
			break
		}
		group.Go(func() {
			defer func() { <-slots }()
			w.deliver(ctx, sending, batch)
		})
	}
	w.drain(&group, cancel)
	w.giveBack(ctx)
}

// drain waits for the sends in flight, and ends them after DrainTimeout. What a send that does not end has leased stays leased.
func (w *Worker) drain(group *sync.WaitGroup, cancel context.CancelFunc) {
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	timer := time.AfterFunc(w.options.DrainTimeout, cancel)
	defer timer.Stop()
	select {
	case <-ended:
	case <-time.After(w.options.DrainTimeout + stopTimeout):
		w.options.Logger.Error("a sink neither takes events nor gives up; its worker ends without it", "sink", w.options.Name)
	}
}

// next waits for a free slot, something to send, and the sink to be up, in this order. What waits for the sink must not be what
// waits for events: others may have some.
func (w *Worker) next(ctx context.Context, slots chan struct{}) ([]journal.Delivery, error) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for {
		batch, err := w.batches.take(ctx)
		if err == nil && len(batch) > 0 {
			if err := w.gate.enter(ctx); err != nil {
				w.batches.keep(batch)
				return nil, err
			}
			return batch, nil
		}
		if err := w.fetchFailed(ctx, err); err != nil {
			return nil, err
		}
	}
}

// fetchFailed decides whether to go on after take returned nothing.
func (w *Worker) fetchFailed(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		return nil
	case errors.Is(err, journal.ErrClosed):
		return err
	}
	w.options.Logger.Error("events cannot be read from the journal", "sink", w.options.Name, "error", err)
	return waitFor(ctx, time.Second, nil)
}

// deliver sends a batch, and whatever its completion frees to be sent next.
func (w *Worker) deliver(ctx, sending context.Context, batch []journal.Delivery) {
	for {
		freed := w.settle(sending, w.process(sending, batch))
		if len(freed) == 0 {
			return
		}
		if err := w.gate.enter(ctx); err != nil {
			w.batches.keep(freed)
			return
		}
		batch = freed
	}
}

// giveBack returns every lease that is left, due at once.
func (w *Worker) giveBack(ctx context.Context) {
	w.settleAll(ctx, w.order.drain(w.batches.empty(), time.Now()))
}

func (w *Worker) settleAll(ctx context.Context, settlements []journal.Settlement) {
	if len(settlements) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := w.queue.Settle(ctx, settlements); err != nil && !errors.Is(err, journal.ErrClosed) {
		w.options.Logger.Error("deliveries cannot be settled; they will be made again", "sink", w.options.Name, "error", err)
	}
}
