package deliver_test

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

// hooked is a journal in which tests look at what is fetched and decide what becomes of settlements.
type hooked struct {
	journal.Journal
	fetched func([]journal.Delivery)
	settle  func(context.Context, []journal.Settlement) error // the queue settles when it returns nil
}

func (h *hooked) Queue(sink string) journal.Queue {
	return &hookedQueue{h.Journal.Queue(sink), h}
}

type hookedQueue struct {
	journal.Queue
	h *hooked
}

func (q *hookedQueue) Fetch(ctx context.Context, l journal.Limit) ([]journal.Delivery, error) {
	deliveries, err := q.Queue.Fetch(ctx, l)
	if q.h.fetched != nil {
		q.h.fetched(deliveries)
	}
	return deliveries, err
}

func (q *hookedQueue) Settle(ctx context.Context, s []journal.Settlement) error {
	if q.h.settle != nil {
		if err := q.h.settle(ctx, s); err != nil {
			return err
		}
	}
	return q.Queue.Settle(ctx, s)
}

// full is a journal without room for a while.
type full struct {
	journal.Journal
	until time.Time
}

func (f *full) Append(ctx context.Context, b journal.Batch) (journal.Receipt, error) {
	if time.Now().Before(f.until) {
		return journal.Receipt{}, journal.ErrFull
	}
	return f.Journal.Append(ctx, b)
}
