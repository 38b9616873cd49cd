package sinkaws

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkbatch"
)

const (
	// MaxEntries is how many messages a request of SQS, SNS and EventBridge has at most.
	MaxEntries = 10
	// maxRequestBytes bounds the messages of a request together: what every service of the three takes. One that is larger goes alone, and the service
	// decides.
	maxRequestBytes = 256 << 10
)

// Sender sends the messages at some positions in one request. It returns why each of those failed that did, or why all did.
type Sender func(ctx context.Context, positions []int) (failed map[int]error, err error)

// SendAll sends messages of given sizes in as many requests as they need; see [sinkbatch.SendAll].
func (c *Codes) SendAll(ctx context.Context, sizes []int, send Sender) error {
	limits := sinkbatch.Limits{Messages: MaxEntries, Bytes: maxRequestBytes}
	return sinkbatch.SendAll(ctx, sizes, limits, func(ctx context.Context, positions []int) (map[int]error, error) {
		failed, err := send(ctx, positions)
		if err != nil {
			err = c.failed(ctx, err, sizes[positions[0]], len(positions))
		}
		return failed, err
	})
}

// failed is why a request failed. One message that is larger than what every service takes is refused because of that, whatever the service calls it.
func (c *Codes) failed(ctx context.Context, err error, size, count int) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case count == 1 && size > maxRequestBytes && isRefused(err):
		return sink.Permanent(fmt.Errorf("%d bytes are more than %s takes: %w", size, c.Service, c.Error(err)))
	}
	return c.Error(err)
}

// isRefused reports whether a service has answered that a request is wrong, and not that of somebody who may not send it.
func isRefused(err error) bool {
	status, _ := answer(err)
	return (status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge) && !HasCode(err, refusals...) && !HasCode(err, throttles...)
}

// ErrMissingEntry says that a service has answered for some entries of a request and not for this one.
var ErrMissingEntry = errors.New("the service did not answer for this event")

// maxGroupBytes is how long the group of a message of a FIFO queue or topic may be:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatchRequestEntry.html
const maxGroupBytes = 128

// GroupOf returns the group of a message of a FIFO queue or topic: its key, or a hash of one that a group cannot have. Messages without a key are by
// themselves.
func GroupOf(m *sink.Message) string {
	if m.Key == "" {
		return m.ID
	}
	if len(m.Key) > maxGroupBytes {
		return event.HashID(m.Key)
	}
	for _, r := range m.Key {
		if r <= ' ' || r > '~' {
			return event.HashID(m.Key)
		}
	}
	return m.Key
}
