package deliver

import (
	"context"
	"slices"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

// parts is what became of a chunk of which the sink told apart what it has taken from what it has not, and why.
type parts struct {
	taken, refused, again, waiting []journal.Delivery
	// reasons are why each of refused was; reason is why one of again failed, and cause why the longest of waiting does.
	reasons       []error
	reason, cause error
}

func partsOf(chunk []journal.Delivery, failed map[int]error) (p parts) {
	for i := range chunk {
		err := failed[i]
		switch {
		case err == nil:
			p.taken = append(p.taken, chunk[i])
		case sink.IsPermanent(err):
			p.refused, p.reasons = append(p.refused, chunk[i]), append(p.reasons, err)
		case sink.RetryAfter(err) > 0 || sink.IsUnreachable(err):
			p.waiting = append(p.waiting, chunk[i])
			if sink.RetryAfter(err) >= sink.RetryAfter(p.cause) {
				p.cause = err
			}
		default:
			p.again, p.reason = append(p.again, chunk[i]), err
		}
	}
	return p
}

// partial appends what became of the parts of a chunk. The sink found out by itself what a chunk that failed as a whole is halved for,
// so what failed goes on by its own class.
func (w *Worker) partial(ctx context.Context, chunk []journal.Delivery, failed map[int]error, settlements []journal.Settlement) (_ []journal.Settlement, reached bool) {
	p := partsOf(chunk, failed)
	if len(p.again) == len(chunk) {
		return w.noneTaken(ctx, chunk, p.reason, settlements)
	}
	if len(p.waiting) < len(chunk) {
		w.up()
	}
	w.lengths.tell(p.taken)
	w.options.Metrics.Delivered(p.taken)
	settlements = settled(p.taken, journal.Settlement{Outcome: journal.Delivered}, settlements)
	for i := range p.refused {
		settlements = append(settlements, w.dead(p.refused[i], journal.CauseRefused, p.reasons[i]))
	}
	switch {
	case ctx.Err() != nil:
		w.gate.leave()
		return postponed(slices.Concat(p.again, p.waiting), settlements), false
	case len(p.again) > 0:
		w.failure.note(p.reason)
		settlements = w.retried(p.again, settlements)
	}
	if len(p.waiting) == 0 {
		return settlements, true
	}
	return w.closed(p.waiting, p.cause, settlements), false
}

// noneTaken appends what became of a chunk of which all failed for the moment. It is the sink's fault as much as theirs, unless it was
// theirs before.
func (w *Worker) noneTaken(ctx context.Context, chunk []journal.Delivery, cause error, settlements []journal.Settlement) (_ []journal.Settlement, reached bool) {
	switch {
	case ctx.Err() != nil:
		w.gate.leave()
		return postponed(chunk, settlements), false
	case slices.ContainsFunc(chunk, func(d journal.Delivery) bool { return d.Attempts == 0 }):
		return w.transient(chunk, cause, settlements), false
	case w.gate.excuse():
		w.failure.note(cause)
		return w.retried(chunk, settlements), true
	}
	return w.closed(chunk, cause, settlements), false
}

// closed appends that deliveries wait until the sink is tried again.
func (w *Worker) closed(chunk []journal.Delivery, cause error, settlements []journal.Settlement) []journal.Settlement {
	until, healthy := w.gate.failed(sink.RetryAfter(cause))
	w.down(cause, healthy)
	return deferred(chunk, until, settlements)
}

// retried appends that deliveries failed by their own fault, each for the moment. Those that have failed as often as others are due with
// them.
func (w *Worker) retried(deliveries []journal.Delivery, settlements []journal.Settlement) []journal.Settlement {
	byAttempts := map[int][]journal.Delivery{}
	for _, d := range deliveries {
		byAttempts[d.Attempts] = append(byAttempts[d.Attempts], d)
	}
	for attempts, same := range byAttempts {
		at := time.Now().Add(w.policy.backoff(attempts+1, w.policy.maxBackoff))
		settlements = settled(same, journal.Settlement{Outcome: journal.Retry, At: at}, settlements)
	}
	return settlements
}
