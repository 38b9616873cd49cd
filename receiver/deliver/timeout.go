package deliver

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/receiver/sink"
)

// timeoutLink bounds one attempt.
type timeoutLink struct {
	timeout time.Duration
	next    link
}

// Send ends the attempt when its time is over.
func (l *timeoutLink) Send(ctx context.Context, batch sink.Batch) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return l.next.Send(ctx, batch)
}
