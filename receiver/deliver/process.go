package deliver

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
)

// process sends a batch, which it may change, and says what became of each delivery.
func (w *Worker) process(ctx context.Context, batch []journal.Delivery) []journal.Settlement {
	var settlements []journal.Settlement
	fresh := batch[:0]
	now := time.Now()
	for i := range batch {
		if w.expired(&batch[i], now) {
			settlements = append(settlements, w.dead(batch[i], journal.CauseExpired, errTooOld))
			continue
		}
		fresh = append(fresh, batch[i])
	}
	if len(fresh) == 0 {
		w.gate.leave()
		return settlements
	}
	return w.sendChunks(ctx, fresh, settlements)
}

// sendChunks sends deliveries in the order of the journal and appends what became of them. Those that have failed before go in
// smaller and smaller chunks. What stands behind a chunk that failed for the moment is not attempted.
func (w *Worker) sendChunks(ctx context.Context, batch []journal.Delivery, settlements []journal.Settlement) []journal.Settlement {
	reached := true
	for reached && len(batch) > 0 {
		n := w.chunkLength(batch)
		settlements, reached = w.attempt(ctx, batch[:n], settlements)
		batch = batch[n:]
	}
	return postponed(batch, settlements)
}

// chunkLength halves the batch for every failed attempt of its first delivery, and cuts what does not fit into one.
func (w *Worker) chunkLength(batch []journal.Delivery) int {
	return fitting(batch, max(1, w.policy.batchEvents>>min(batch[0].Attempts, 30)), w.policy.batchBytes)
}

// postponed appends that no attempt was made.
func postponed(batch []journal.Delivery, settlements []journal.Settlement) []journal.Settlement {
	return deferred(batch, time.Now(), settlements)
}

// deferred appends that deliveries, if there are any, are due again at a time.
func deferred(deliveries []journal.Delivery, at time.Time, settlements []journal.Settlement) []journal.Settlement {
	return settled(deliveries, journal.Settlement{Outcome: journal.Defer, At: at}, settlements)
}

// settled appends an outcome of all deliveries of a chunk, if there are any.
func settled(chunk []journal.Delivery, outcome journal.Settlement, settlements []journal.Settlement) []journal.Settlement {
	if len(chunk) == 0 {
		return settlements
	}
	outcome.Deliveries = chunk
	return append(settlements, outcome)
}

// attempt sends one chunk and appends what became of it. A refusal for good is narrowed down to the deliveries that are refused.
// reached is false when the sink could not take anything at the moment.
func (w *Worker) attempt(ctx context.Context, chunk []journal.Delivery, settlements []journal.Settlement) (_ []journal.Settlement, reached bool) {
	err := w.send(ctx, chunk)
	switch {
	case err == nil:
		w.up()
		w.options.Metrics.Delivered(len(chunk))
		return settled(chunk, journal.Settlement{Outcome: journal.Delivered}, settlements), true
	case ctx.Err() != nil:
		w.gate.leave()
		return postponed(chunk, settlements), false
	case !sink.IsPermanent(err):
		return w.transient(chunk, err, settlements), false
	case len(chunk) == 1:
		w.up()
		return append(settlements, w.dead(chunk[0], journal.CauseRefused, err)), true
	}
	w.up()
	settlements, reached = w.attempt(ctx, chunk[:len(chunk)/2], settlements)
	if !reached {
		return postponed(chunk[len(chunk)/2:], settlements), false
	}
	return w.attempt(ctx, chunk[len(chunk)/2:], settlements)
}

// send makes one attempt, within the rate limit and the timeout.
func (w *Worker) send(ctx context.Context, chunk []journal.Delivery) error {
	if w.limiter != nil {
		if err := w.limiter.WaitN(ctx, len(chunk)); err != nil {
			return err
		}
	}
	messages := make([]sink.Message, 0, len(chunk))
	for i := range chunk {
		messages = append(messages, sink.Message{Envelope: chunk[i].Payload, Key: chunk[i].OrderingKey})
	}
	limited, cancel := context.WithTimeout(ctx, w.policy.timeout)
	defer cancel()
	err := w.options.Sink.Send(limited, messages)
	w.options.Metrics.Attempt(attemptOutcome(err))
	return err
}

func attemptOutcome(err error) string {
	switch {
	case err == nil:
		return metrics.AttemptDelivered
	case sink.IsPermanent(err):
		return metrics.AttemptPermanent
	case sink.RetryAfter(err) > 0:
		return metrics.AttemptThrottled
	default:
		return metrics.AttemptTransient
	}
}

// transient schedules a chunk that failed for the moment. An attempt counts against the events only when the sink had been
// healthy: an outage is not the events' fault. Nor is it a single event's that the sink asks to wait; of several, one may be why.
func (w *Worker) transient(chunk []journal.Delivery, cause error, settlements []journal.Settlement) []journal.Settlement {
	after := sink.RetryAfter(cause)
	at, healthy := w.gate.failed(after)
	w.down(cause, healthy)
	outcome := journal.Settlement{Outcome: journal.Defer, At: at}
	if healthy && (after == 0 || len(chunk) > 1) {
		outcome.Outcome = journal.Retry
		outcome.At = time.Now().Add(w.policy.backoff(chunk[0].Attempts+1, w.policy.maxBackoff))
	}
	if after > 0 && outcome.At.Before(at) {
		outcome.At = at
	}
	return settled(chunk, outcome, settlements)
}
