package deliver

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

// take returns the next batch to send: at most batchEvents and batchBytes. It may return an empty batch.
func (w *Worker) take(ctx context.Context) ([]journal.Delivery, error) {
	if batch := w.cut(w.policy.linger == 0); len(batch) > 0 {
		return batch, nil
	}
	fetched, err := w.fetch(ctx)
	if err != nil {
		return nil, err
	}
	if w.admit(ctx, fetched) {
		if err := waitFor(ctx, missedPause, nil); err != nil {
			return nil, err
		}
	}
	return w.cut(true), nil
}

// fetch leases deliveries beside those that are waiting, which are no full batch: for one batch, or for several if the sink takes
// them. It waits for one delivery, and lets what is not enough linger for more.
func (w *Worker) fetch(ctx context.Context) (fetched []journal.Delivery, err error) {
	events, bytes := w.waiting()
	limit := w.limit()
	if events == 0 {
		if fetched, err = w.queue.Fetch(ctx, limit); err != nil || w.policy.linger == 0 {
			return fetched, err
		}
	}
	lingering, cancel := context.WithTimeout(ctx, w.policy.linger)
	defer cancel()
	for !w.full(events+len(fetched), bytes+payloadBytes(fetched)) {
		more, err := w.queue.Fetch(lingering, limit)
		fetched = append(fetched, more...)
		if err != nil {
			break
		}
	}
	return fetched, nil
}

// limit returns how much to lease at once. From a sink that takes nothing it is what failed alone as well, which comes first, so that
// there are others to try.
func (w *Worker) limit() journal.Limit {
	if w.gate.isProven() {
		return journal.Limit{Events: max(minFetch, fetchBatches*w.policy.batchEvents), Bytes: fetchBatches * w.policy.batchBytes}
	}
	events, bytes := w.lengths.failedAlone()
	limit := journal.Limit{Events: max(minFetch, w.policy.batchEvents) + events}
	if w.policy.batchBytes > 0 {
		limit.Bytes = w.policy.batchBytes + min(bytes, maxParkedBytes)
	}
	return limit
}

// waiting returns how much is on the ready list.
func (w *Worker) waiting() (events, bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.ready), payloadBytes(w.ready)
}

// full says whether that much needs no more to be sent.
func (w *Worker) full(events, bytes int) bool {
	return events >= w.policy.batchEvents || w.policy.batchBytes > 0 && bytes >= w.policy.batchBytes
}

func payloadBytes(deliveries []journal.Delivery) int {
	n := 0
	for i := range deliveries {
		n += len(deliveries[i].Payload)
	}
	return n
}

// admit puts fetched deliveries into the ready list, but for those that must wait for an earlier event of their key. It returns
// whether all of them went back to the journal, to be due at once.
func (w *Worker) admit(ctx context.Context, fetched []journal.Delivery) (idle bool) {
	now := time.Now()
	var back []journal.Settlement
	w.mu.Lock()
	if w.sequencer != nil {
		fetched, back = w.sequencer.admit(fetched, now)
	}
	if len(w.ready) == 0 {
		w.ready = fetched
	} else {
		w.ready = append(w.ready, fetched...)
	}
	w.mu.Unlock()
	w.settleAll(ctx, back)
	return len(back) > 0 && len(fetched) == 0 && !slices.ContainsFunc(back, func(s journal.Settlement) bool { return s.At.After(now) })
}

// cut takes the next batch off the ready list: a full one, or else the rest if that is wanted. A sink that takes nothing is offered
// first what has failed least: events that it cannot stomach must not be the only ones that it ever sees.
func (w *Worker) cut(rest bool) []journal.Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.gate.isOpen() {
		w.lengths.arrange(w.ready)
	}
	n := fitting(w.ready, w.policy.batchEvents, w.policy.batchBytes)
	if n == len(w.ready) && !rest && !w.full(n, payloadBytes(w.ready)) {
		return nil
	}
	batch := w.ready[:n:n]
	w.ready = w.ready[n:]
	return batch
}

// fitting returns how many deliveries make one batch: at least one, if there is any. No bytes are any number.
func fitting(deliveries []journal.Delivery, events, bytes int) (n int) {
	for size := 0; n < len(deliveries) && n < events; n++ {
		size += len(deliveries[n].Payload)
		if n > 0 && bytes > 0 && size > bytes {
			break
		}
	}
	return n
}

var errTooOld = errors.New("not delivered within the sink's maximum age")

func (w *Worker) expired(d *journal.Delivery, now time.Time) bool {
	return w.policy.maxAge > 0 && now.Sub(d.AcceptedAt) > w.policy.maxAge
}
