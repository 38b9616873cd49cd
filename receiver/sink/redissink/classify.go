package redissink

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkredis"
)

// outcome is the error of a batch, of what became of each message. When all fail the first one says how to go on.
func outcome(ctx context.Context, errs []error) error {
	failed := map[int]error{}
	for i, err := range errs {
		if err != nil {
			failed[i] = classify(err)
		}
	}
	if len(failed) == len(errs) {
		return errors.Join(failed[0], ended(ctx))
	}
	return sink.Partial(failed)
}

// ended returns why a context is over, or nil. A connection has the same deadline, and may notice it a moment before the context does.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// unasked is the error of a probe: where nothing was to be sent, a connection that breaks is none.
func unasked(err error) error {
	if _, answered := errors.AsType[redis.Error](err); err != nil && !answered {
		return sink.Unreachable(fmt.Errorf("no connection to Redis: %w", err))
	}
	return classify(err)
}

// classify is the error of an entry. Redis refuses none for good: what it lacks is room, time or a right.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case redis.IsAuthError(err), redis.IsPermissionError(err):
		return sink.Because(sink.CredentialRefused, fmt.Errorf("redis refuses the sink's user, who needs the commands XADD and PING and the streams' keys: %w", err))
	case isOtherType(err):
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("the key of the stream holds something else; delete it or choose another: %w", err))
	case sinkredis.IsAway(err):
		return sink.Unreachable(fmt.Errorf("no connection to Redis: %w", err))
	case redis.IsLoadingError(err), redis.IsMaxClientsError(err):
		return sink.Unreachable(fmt.Errorf("redis takes no commands yet: %w", err))
	}
	return fmt.Errorf("redis does not take the event: %w", err)
}

// isOtherType reports whether a key is that of a list or whatever is no stream.
func isOtherType(err error) bool {
	e, ok := errors.AsType[redis.Error](err)
	return ok && strings.HasPrefix(e.Error(), "WRONGTYPE")
}
