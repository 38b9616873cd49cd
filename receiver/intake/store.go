package intake

import (
	"context"
	"errors"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/route"
)

// store decodes, routes and appends what a request holds.
func (h *Handler) store(ctx context.Context, x *exchange, unverified bool) (receipt, *problem) {
	e := x.endpoint
	decoded, p := h.decode(x)
	if p != nil {
		return receipt{}, p
	}
	if p := h.confirm(ctx, e, decoded.Confirm, unverified); p != nil {
		return receipt{}, p
	}
	if !unverified {
		x.reply = decoded.Reply
	}
	b := e.Build(&x.request, &decoded, unverified, &x.arena, func(f *route.Failure) { h.noteFailure(e, f) })
	x.forget(&decoded)
	var done journal.Receipt
	if !b.IsEmpty() {
		var err error
		if done, err = h.append(ctx, b.Batch); err != nil {
			return receipt{}, h.storageProblem(e, err)
		}
	}
	if done.DeadLettered > 0 {
		h.recordDead(&b.Batch)
	}
	b.Count(done, &decoded)
	x.span.Took(done.Accepted, done.Duplicates, done.DeadLettered)
	if done.Accepted+done.DeadLettered > 0 {
		h.noteBearer(e, x.bearer)
	}
	return receipt{accepted: done.Accepted, duplicates: done.Duplicates, deadLettered: done.DeadLettered, refused: decoded.Refused}, nil
}

// append stores a batch.
func (h *Handler) append(ctx context.Context, b journal.Batch) (journal.Receipt, error) {
	ctx, span := h.options.Tracer.Append(ctx, len(b.Entries))
	done, err := h.options.Journal.Append(ctx, b)
	if err != nil {
		span.End("unavailable")
		return done, err //nolint:wrapcheck // What it says is for the caller.
	}
	span.End("")
	return done, nil
}

func (h *Handler) storageProblem(e *site, err error) *problem {
	e.metrics.Limit(metrics.LimitJournal)
	if errors.Is(err, journal.ErrShare) {
		return unavailable("journal-share", "This endpoint has used up its share of the space to store events. Retry later.", retryAfterFull)
	}
	if errors.Is(err, journal.ErrDeadLetters) {
		return unavailable("dead-letters-full", "The request holds what cannot be decoded or routed, and there is no space for more of that. Retry later.", retryAfterFull)
	}
	if errors.Is(err, journal.ErrFull) {
		return unavailable("journal-full", "No space to store events. Retry later.", retryAfterFull)
	}
	e.unstored.log(h.options.Logger.Error, h.options.Now(), "events could not be stored", e.Name(), err)
	return unavailable("journal-unavailable", "Events cannot be stored now. Retry later.", retryAfterBusy)
}

// noteBearer counts a body that is new, by the signature that it came with.
func (h *Handler) noteBearer(e *site, bearer string) {
	if message := e.NoteBearer(bearer, h.options.Now()); message != "" {
		h.options.Logger.Warn("somebody may use a signature that he has seen", "endpoint", e.Name(), "problem", message)
	}
}

// noteFailure notes a filter that failed.
func (h *Handler) noteFailure(e *site, f *route.Failure) {
	if message := e.NoteFailure(f, h.options.Now()); message != "" {
		h.options.Logger.Warn("the filter of a route fails; events for which it does become dead letters", "endpoint", e.Name(), "route", f.Route, "problem", message)
	}
}
