package deliver

import (
	"context"

	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
)

// observeLink counts attempts by their outcome.
type observeLink struct {
	metrics *metrics.Sink
	next    link
}

// Send counts what next says.
func (l *observeLink) Send(ctx context.Context, batch sink.Batch) error {
	err := l.next.Send(ctx, batch)
	l.metrics.Attempt(attemptOutcome(err, len(batch.Messages)))
	return err
}

func attemptOutcome(err error, messages int) string {
	switch {
	case err == nil:
		return metrics.AttemptDelivered
	case sink.FailedOf(err, messages) != nil:
		return metrics.AttemptPartial
	case sink.IsPermanent(err):
		return metrics.AttemptPermanent
	case sink.RetryAfter(err) > 0:
		return metrics.AttemptThrottled
	default:
		return metrics.AttemptTransient
	}
}
