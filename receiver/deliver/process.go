package deliver

import (
	"context"
	"errors"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

// process sends a batch, which it may change, and says what became of each delivery.
func (w *Worker) process(ctx context.Context, batch []journal.Delivery) []journal.Settlement {
	var settlements []journal.Settlement
	fresh := batch[:0]
	now := w.options.Journal.Present()
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

// sendChunks sends deliveries, those that have failed last, in chunks of the length that the sink takes, and appends what became of
// them. What stands behind a chunk that failed for the moment is not attempted.
func (w *Worker) sendChunks(ctx context.Context, batch []journal.Delivery, settlements []journal.Settlement) []journal.Settlement {
	reached := true
	w.lengths.arrange(batch)
	for reached && len(batch) > 0 {
		n := fitting(batch, w.lengths.next(batch), w.policy.batchBytes)
		settlements, reached = w.attempt(ctx, batch[:n], settlements)
		batch = batch[n:]
	}
	return postponed(batch, settlements)
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
	began := time.Now()
	err := w.send(ctx, chunk)
	w.record(ctx, chunk, began, err)
	switch failed := sink.FailedOf(err, len(chunk)); {
	case len(failed) > 0 && len(chunk) == 1:
		err = failed[0]
	case len(failed) > 0:
		return w.partial(ctx, chunk, failed, settlements)
	}
	switch {
	case err == nil:
		w.up()
		w.lengths.pass(chunk)
		w.options.Metrics.Delivered(chunk)
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

// send makes one attempt.
func (w *Worker) send(ctx context.Context, chunk []journal.Delivery) error {
	batch, err := w.describe.batch(chunk)
	if err != nil {
		return err
	}
	defer w.describe.done(batch)
	return w.chain.Send(ctx, batch)
}

// transient schedules a chunk that failed for the moment, for when the sink is tried again. An attempt counts only against a single
// event, and only while the sink takes others: then it is that event's fault, and it waits longer each time. When it has failed alone
// before it does not even close the gate. An outage, or a sink that asks to wait, is nobody's fault.
func (w *Worker) transient(chunk []journal.Delivery, cause error, settlements []journal.Settlement) []journal.Settlement {
	after, away := sink.RetryAfter(cause), sink.IsUnreachable(cause)
	known := w.lengths.hasFailedAlone(chunk)
	if !away {
		w.lengths.fail(chunk, after > 0, w.gate.isOpen())
	}
	own := journal.Settlement{Outcome: journal.Retry, At: time.Now().Add(w.policy.backoff(chunk[0].Attempts+1, w.policy.maxBackoff))}
	if known && after == 0 && !away && w.gate.excuse() {
		w.failure.note(cause)
		return settled(chunk, own, settlements)
	}
	until, healthy := w.gate.failed(after)
	w.down(cause, healthy)
	if len(chunk) > 1 || away || !healthy {
		return deferred(chunk, until, settlements)
	}
	if own.At.Before(until) {
		own.At = until
	}
	return settled(chunk, own, settlements)
}

var errTooOld = errors.New("not delivered within the sink's maximum age")

// expired reports whether an event is given up at a time, which is the journal's: that of the machine may jump ahead.
func (w *Worker) expired(d *journal.Delivery, now time.Time) bool {
	return w.policy.maxAge > 0 && now.Sub(d.AcceptedAt) > w.policy.maxAge
}
