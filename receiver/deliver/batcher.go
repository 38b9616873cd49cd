package deliver

import (
	"context"
	"sync"

	"github.com/mailvane/mailvane/receiver/journal"
)

// batcher cuts what comes from the journal into batches: at most batchEvents and batchBytes. What is not enough for one lingers for
// more.
type batcher struct {
	policy  *policy
	gate    *gate
	lengths *lengths
	order   *order

	mu    sync.Mutex
	ready []journal.Delivery // leased, not yet in a batch
}

// take returns the next batch to send. It may return an empty one.
func (b *batcher) take(ctx context.Context) ([]journal.Delivery, error) {
	if batch := b.cut(b.policy.linger == 0); len(batch) > 0 {
		return batch, nil
	}
	fetched, err := b.fetch(ctx)
	b.keep(fetched)
	if err != nil {
		return nil, err
	}
	return b.cut(true), nil
}

// fetch leases deliveries beside those that are waiting, which are no full batch: for one batch, or for several if the sink takes
// them. It waits for one delivery, and lets what is not enough linger for more.
func (b *batcher) fetch(ctx context.Context) (fetched []journal.Delivery, err error) {
	events, bytes := b.waiting()
	limit := b.limit()
	if events == 0 {
		if fetched, err = b.order.fetch(ctx, limit); err != nil || b.policy.linger == 0 {
			return fetched, err
		}
	}
	lingering, cancel := context.WithTimeout(ctx, b.policy.linger)
	defer cancel()
	for !b.full(events+len(fetched), bytes+payloadBytes(fetched)) {
		more, err := b.order.fetch(lingering, limit)
		fetched = append(fetched, more...)
		if err != nil {
			break
		}
	}
	return fetched, nil
}

// limit returns how much to lease at once. From a sink that takes nothing it is what failed alone as well, which comes first, so that
// there are others to try.
func (b *batcher) limit() journal.Limit {
	if b.gate.isProven() {
		return journal.Limit{Events: max(minFetch, fetchBatches*b.policy.batchEvents), Bytes: fetchBatches * b.policy.batchBytes}
	}
	events, bytes := b.lengths.failedAlone()
	limit := journal.Limit{Events: max(minFetch, b.policy.batchEvents) + events}
	if b.policy.batchBytes > 0 {
		limit.Bytes = b.policy.batchBytes + min(bytes, maxParkedBytes)
	}
	return limit
}

// waiting returns how much is on the ready list.
func (b *batcher) waiting() (events, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ready), payloadBytes(b.ready)
}

// full reports whether that much needs no more to be sent.
func (b *batcher) full(events, bytes int) bool {
	return events >= b.policy.batchEvents || b.policy.batchBytes > 0 && bytes >= b.policy.batchBytes
}

func payloadBytes(deliveries []journal.Delivery) int {
	n := 0
	for i := range deliveries {
		n += len(deliveries[i].Payload)
	}
	return n
}

// keep puts deliveries to the end of the ready list.
func (b *batcher) keep(deliveries []journal.Delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ready) == 0 {
		b.ready = deliveries
	} else {
		b.ready = append(b.ready, deliveries...)
	}
}

// empty returns what is on the ready list and takes it off.
func (b *batcher) empty() []journal.Delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	ready := b.ready
	b.ready = nil
	return ready
}

// cut takes the next batch off the ready list: a full one, or else the rest if that is wanted. A sink that takes nothing is offered
// first what has failed least: events that break it must not be the only ones that it ever sees.
func (b *batcher) cut(rest bool) []journal.Delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.gate.isOpen() {
		b.lengths.arrange(b.ready)
	}
	n := fitting(b.ready, b.policy.batchEvents, b.policy.batchBytes)
	if n == len(b.ready) && !rest && !b.full(n, payloadBytes(b.ready)) {
		return nil
	}
	batch := b.ready[:n:n]
	b.ready = b.ready[n:]
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
