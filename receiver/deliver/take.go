package deliver

import (
	"context"
	"errors"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

// take returns the next batch to send: at most batchEvents, batchBytes and, for events that have failed before, fewer.
// It may return an empty batch.
func (w *Worker) take(ctx context.Context) ([]journal.Delivery, error) {
	if batch := w.cut(); len(batch) > 0 {
		return batch, nil
	}
	fetched, err := w.fetch(ctx)
	if len(fetched) > 0 {
		w.admit(ctx, fetched)
	} else if err != nil {
		return nil, err
	}
	return w.cut(), nil
}

// fetch leases deliveries, and lets a batch that is not full linger for more.
func (w *Worker) fetch(ctx context.Context) ([]journal.Delivery, error) {
	limit := journal.Limit{Events: w.policy.batchEvents, Bytes: w.policy.batchBytes}
	if w.policy.batchEvents == 1 {
		limit.Events = minFetch
	}
	fetched, err := w.queue.Fetch(ctx, limit)
	if err != nil || w.policy.linger == 0 || w.policy.batchEvents == 1 {
		return fetched, err
	}
	lingering, cancel := context.WithTimeout(ctx, w.policy.linger)
	defer cancel()
	for len(fetched) < limit.Events && payloadBytes(fetched) < max(limit.Bytes, 1) {
		more, err := w.queue.Fetch(lingering, journal.Limit{Events: limit.Events - len(fetched), Bytes: limit.Bytes})
		fetched = append(fetched, more...)
		if err != nil {
			break
		}
	}
	return fetched, nil
}

func payloadBytes(deliveries []journal.Delivery) int {
	n := 0
	for i := range deliveries {
		n += len(deliveries[i].Payload)
	}
	return n
}

// admit puts fetched deliveries into the ready list, but for those that are too old or must wait for an earlier event of their key.
func (w *Worker) admit(ctx context.Context, fetched []journal.Delivery) {
	now := time.Now()
	var back []journal.Settlement
	w.mu.Lock()
	if w.sequencer != nil {
		fetched, back = w.sequencer.admit(fetched, now)
	}
	w.ready = append(w.ready, fetched...)
	w.mu.Unlock()
	w.settleAll(ctx, back)
}

// cut takes the next batch off the ready list.
func (w *Worker) cut() []journal.Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, bytes := 0, 0
	for n < len(w.ready) && n < w.policy.batchEvents {
		bytes += len(w.ready[n].Payload)
		if n > 0 && w.policy.batchBytes > 0 && bytes > w.policy.batchBytes {
			break
		}
		n++
	}
	batch := w.ready[:n:n]
	w.ready = w.ready[n:]
	return batch
}

var errTooOld = errors.New("not delivered within the sink's maximum age")

func (w *Worker) expired(d *journal.Delivery, now time.Time) bool {
	return w.policy.maxAge > 0 && now.Sub(d.AcceptedAt) > w.policy.maxAge
}
