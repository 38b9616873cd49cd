package deliver

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

// order stands between a queue and who sends what is in it: where the sink wants order, one event of a key is on its way at a time.
type order struct {
	queue journal.Queue
	// settle gives back to the queue what must wait.
	settle func(context.Context, []journal.Settlement)

	mu        sync.Mutex
	sequencer *sequencer // nil = unordered
}

func newOrder(q journal.Queue, byKey bool, settle func(context.Context, []journal.Settlement)) *order {
	o := &order{queue: q, settle: settle}
	if byKey {
		o.sequencer = newSequencer()
	}
	return o
}

// succeed takes over what a predecessor on the same queue has learned of the order.
func (o *order) succeed(predecessor *order) {
	if o.sequencer != nil && predecessor.sequencer != nil {
		o.sequencer.waiting = predecessor.sequencer.waiting
	}
}

// fetch leases deliveries that may be sent now. There may be none.
func (o *order) fetch(ctx context.Context, limit journal.Limit) ([]journal.Delivery, error) {
	fetched, err := o.queue.Fetch(ctx, limit)
	if o.sequencer == nil || len(fetched) == 0 {
		return fetched, err
	}
	now := time.Now()
	o.mu.Lock()
	ready, back := o.sequencer.admit(fetched, now)
	o.mu.Unlock()
	o.settle(ctx, back)
	if err == nil && len(ready) == 0 && dueAtOnce(back, now) {
		err = waitFor(ctx, missedPause, nil)
	}
	return ready, err
}

// dueAtOnce reports whether all of what went back, if anything did, comes again without a wait.
func dueAtOnce(back []journal.Settlement, now time.Time) bool {
	return len(back) > 0 && !slices.ContainsFunc(back, func(s journal.Settlement) bool { return s.At.After(now) })
}

// release frees the keys of settled deliveries. It returns what may be sent next because of it, and the settlements as the order of
// their keys wants them.
func (o *order) release(settlements []journal.Settlement) (freed []journal.Delivery, ordered []journal.Settlement) {
	if o.sequencer == nil {
		return nil, settlements
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range settlements {
		if s.Outcome == journal.Delivered || s.Outcome == journal.Dead {
			ordered = append(ordered, s)
			freed = o.sequencer.done(s.Deliveries, freed)
			continue
		}
		for i := range s.Deliveries {
			ordered = o.sequencer.failed(s.Deliveries[i:i+1], s, ordered)
		}
	}
	return freed, ordered
}

// drain returns how everything goes back that was fetched and not sent: what is ready, and what waits for its turn.
func (o *order) drain(ready []journal.Delivery, now time.Time) []journal.Settlement {
	if o.sequencer == nil {
		return deferred(ready, now, nil)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sequencer.drain(ready, now)
}
