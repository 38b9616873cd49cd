package deliver

import (
	"context"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/tracing"
)

// traceLink makes a span of each attempt.
type traceLink struct {
	tracer     *tracing.Tracer
	name, kind string
	next       link
}

// Send traces what next does.
func (l *traceLink) Send(ctx context.Context, batch sink.Batch) error {
	parents := make([]string, len(batch.Messages))
	for i := range batch.Messages {
		parents[i] = event.TraceParentOf(batch.Messages[i].Envelope)
	}
	ctx, span := l.tracer.Attempt(ctx, tracing.Attempt{Sink: l.name, Kind: l.kind, Messages: len(batch.Messages), Parents: parents})
	err := l.next.Send(ctx, batch)
	if err != nil {
		span.End(attemptOutcome(err, len(batch.Messages)))
		return err
	}
	span.End("")
	return nil
}
