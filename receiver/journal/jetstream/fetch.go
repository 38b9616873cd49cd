package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
)

// fillWait is how long a Fetch that has less than it may take waits for the next of what the servers are sending already.
const fillWait = 10 * time.Millisecond

// reloadPause is the wait after a payload could not be read again.
const reloadPause = time.Second

// Fetch implements [journal.Queue].
func (q *queue) Fetch(ctx context.Context, limit journal.Limit) ([]journal.Delivery, error) {
	q.want()
	for {
		if q.journal.ctx.Err() != nil {
			return nil, journal.ErrClosed
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		list, wait, changed := q.lease(limit)
		if len(list) > 0 {
			deliveries, err := q.deliveries(ctx, list)
			if len(deliveries) > 0 || err != nil {
				return deliveries, err
			}
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		case <-q.journal.ctx.Done():
		}
		timer.Stop()
	}
}

// want has the sink fed by this process, if no other does.
func (q *queue) want() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.wanted {
		q.wanted = true
		q.journal.wake()
	}
}

// lease takes what is due, or returns how long to wait and what ends the wait earlier.
func (q *queue) lease(limit journal.Limit) ([]*held, time.Duration, <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if wait := q.mustWait(limit, now); wait > 0 {
		return nil, wait, q.changed
	}
	var taken []*held
	for bytes := 0; len(taken) < limit.Events; {
		h := q.next(now)
		if h == nil || len(taken) > 0 && limit.Bytes > 0 && bytes+h.size > limit.Bytes {
			break
		}
		q.remove(h)
		q.leases++
		h.state, h.lease = leased, q.leases
		bytes += h.size
		taken = append(taken, h)
	}
	wait := pollInterval
	if len(q.due) > 0 && q.due[0].epoch == q.epoch {
		wait = min(wait, max(time.Until(time.UnixMilli(q.due[0].due)), time.Millisecond))
	}
	return taken, wait, q.changed
}

// deliveries returns what was leased, and reads payloads again that were dropped. What cannot be read now is leased again later.
func (q *queue) deliveries(ctx context.Context, list []*held) ([]journal.Delivery, error) {
	all := make([]journal.Delivery, 0, len(list))
	for n, h := range list {
		if h.dropped() {
			err := q.reload(ctx, h)
			if errors.Is(err, jetstream.ErrMsgNotFound) { // somebody has removed it by hand
				continue
			}
			if err != nil {
				q.putBack(ctx, list[n:])
				if len(all) > 0 {
					return all, nil
				}
				return nil, fmt.Errorf("%w: read an event again: %w", journal.ErrUnavailable, err)
			}
		}
		all = append(all, journal.Delivery{
			Sequence: h.sequence, OrderingKey: h.key, AcceptedAt: h.accepted, Attempts: h.attempts, Payload: h.payload, Lease: h.lease,
			Sinks: h.sinks, SinksKnown: h.sinksKnown,
		})
	}
	return all, nil
}

// reload reads the payload of what this process has leased.
func (q *queue) reload(ctx context.Context, h *held) error {
	payload, err := readAgain(ctx, h.epoch.stream, h)
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		if q.held[h.sequence] == h {
			q.forget(h) // should it be there after all, it comes with the next consumer
		}
		return err
	}
	h.payload = payload
	return nil
}

// readAgain returns the payload of what is held, or [jetstream.ErrMsgNotFound].
func readAgain(ctx context.Context, stream jetstream.Stream, h *held) ([]byte, error) {
	m, err := stream.GetMsg(ctx, h.sequence)
	if err != nil {
		return nil, err
	}
	if !m.Time.Equal(h.stored) {
		return nil, jetstream.ErrMsgNotFound // another has its number
	}
	return m.Data, nil
}

// putBack takes leases back that nobody has seen. Each delivery gets the place that it had, so that nothing overtakes it. Nothing is
// leased for a moment, unless it was the caller who did not wait.
func (q *queue) putBack(ctx context.Context, list []*held) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range list {
		switch {
		case h.state != leased || q.held[h.sequence] != h:
		case h.due == 0:
			q.addFresh(h)
		default:
			q.addDue(h)
		}
	}
	if ctx.Err() == nil {
		q.resting = time.Now().Add(reloadPause)
	}
	q.signal()
}

// mustWait returns how long nothing may be leased: this process does not have the sink, or cannot be sure of it, or what is next
// could not be read, or too much of what it took is dead and finds no room, or more is just coming. The lock is held.
func (q *queue) mustWait(limit journal.Limit, now time.Time) time.Duration {
	switch {
	case q.epoch == nil || now.Sub(q.epoch.seen) > fenceAfter, len(q.unburied) >= maxUnburied:
		return pollInterval
	case now.Before(q.resting):
		return q.resting.Sub(now)
	case len(q.fresh) < limit.Events && q.behind > 0 && q.hasRoom():
		return fillWait - now.Sub(q.epoch.arrived)
	}
	return 0
}

// next returns what is to be leased next: what is due, then what is new. What the present consumer did not bring yet must wait:
// another process may have delivered it. Until then nothing that is behind it is new.
func (q *queue) next(now time.Time) *held {
	if len(q.due) > 0 && q.due[0].due <= now.UnixMilli() && q.due[0].epoch == q.epoch {
		return q.due[0]
	}
	if len(q.fresh) > 0 {
		return q.fresh[0]
	}
	return nil
}

// remove takes h, which next returned, from where it waits.
func (q *queue) remove(h *held) {
	if h.state == scheduled {
		q.due.pop()
		q.dueBytes -= len(h.payload)
		return
	}
	q.fresh[0] = nil
	q.fresh = q.fresh[1:]
	q.freshBytes -= len(h.payload)
	if q.hasRoom() {
		q.signal()
	}
}
