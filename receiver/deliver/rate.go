package deliver

import (
	"context"

	"golang.org/x/time/rate"

	"github.com/mailvane/mailvane/receiver/sink"
)

// rateLink keeps to a number of events per second.
type rateLink struct {
	limiter *rate.Limiter
	next    link
}

func newRateLink(perSecond, batchEvents int, next link) *rateLink {
	return &rateLink{limiter: rate.NewLimiter(rate.Limit(perSecond), max(perSecond, batchEvents)), next: next}
}

// Send waits for its turn.
func (l *rateLink) Send(ctx context.Context, batch sink.Batch) error {
	if err := l.limiter.WaitN(ctx, len(batch.Messages)); err != nil {
		return err
	}
	return l.next.Send(ctx, batch)
}
