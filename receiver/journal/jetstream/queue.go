package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
)

// state says where a delivery is in this process.
type state int

const (
	fresh     state = iota // came from the servers and was not leased yet
	leased                 // a worker has it
	scheduled              // is due at a time
	settled                // done; the servers have not confirmed it yet
)

// held is one delivery that the servers have given to this process.
type held struct {
	sequence uint64
	reply    string // where it is acknowledged, in the present epoch
	epoch    *epoch
	state    state
	key      string
	accepted time.Time
	attempts int
	payload  []byte
	size     int   // of the payload, also when it was dropped
	due      int64 // milliseconds since 1970
	sentAt   time.Time
}

// dropped says whether only the servers have the payload.
func (h *held) dropped() bool { return h.size > 0 && h.payload == nil }

// queue implements [journal.Queue] for one sink. What is due when is decided here; the servers only know what is not done.
type queue struct {
	journal           *Journal
	sink, subject, id string

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced when a waiter should look again
	wanted     bool
	epoch      *epoch // nil = another process feeds the sink, or none
	held       map[uint64]*held
	fresh      []*held // by sequence
	freshBytes int
	due        dueHeap
	dueBytes   int // payloads in due
	settled    map[uint64]*held
	confirmed  uint64 // what was last confirmed
	behind     uint64 // how many more the servers had when the last one came
}

func newQueue(j *Journal, sink string) *queue {
	return &queue{
		journal: j, sink: sink, subject: j.sinkSubject(sinkToken(sink)), id: messageID(sink),
		changed: make(chan struct{}), held: map[uint64]*held{}, settled: map[uint64]*held{},
	}
}

// signal makes waiters look again. The lock is held.
func (q *queue) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.signal()
}

// fillWait is how long a Fetch that has less than it may take waits for the next of what the servers are sending already.
const fillWait = 10 * time.Millisecond

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
			return q.deliveries(ctx, list)
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
		q.journal.poke()
	}
}

// lease takes what is due, or returns how long to wait and what ends the wait earlier.
func (q *queue) lease(limit journal.Limit) ([]*held, time.Duration, <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	switch {
	case q.epoch == nil || now.Sub(q.epoch.seen) > fenceAfter:
		return nil, pollInterval, q.changed
	case len(q.fresh) < limit.Events && q.behind > 0 && q.hasRoom() && now.Sub(q.epoch.arrived) < fillWait:
		return nil, fillWait - now.Sub(q.epoch.arrived), q.changed
	}
	var taken []*held
	bytes := 0
	for len(taken) < limit.Events {
		h := q.next(now)
		if h == nil || len(taken) > 0 && limit.Bytes > 0 && bytes+h.size > limit.Bytes {
			break
		}
		q.remove(h)
		h.state = leased
		bytes += h.size
		taken = append(taken, h)
	}
	wait := pollInterval
	if len(q.due) > 0 {
		wait = min(wait, max(time.Until(time.UnixMilli(q.due[0].due)), time.Millisecond))
	}
	return taken, wait, q.changed
}

// deliveries returns what was leased, and reads payloads again that were dropped. What cannot be read now is due again later.
func (q *queue) deliveries(ctx context.Context, list []*held) ([]journal.Delivery, error) {
	all := make([]journal.Delivery, 0, len(list))
	for n, h := range list {
		if h.dropped() {
			err := q.reload(ctx, h)
			if errors.Is(err, jetstream.ErrMsgNotFound) { // somebody has removed it by hand
				continue
			}
			if err != nil {
				q.postpone(list[n:])
				return all, unless(len(all) > 0, fmt.Errorf("%w: read an event again: %w", journal.ErrUnavailable, err))
			}
		}
		all = append(all, journal.Delivery{Sequence: h.sequence, OrderingKey: h.key, AcceptedAt: h.accepted, Attempts: h.attempts, Payload: h.payload})
	}
	return all, nil
}

// reload reads the payload of what this process has leased.
func (q *queue) reload(ctx context.Context, h *held) error {
	m, err := h.epoch.stream.GetMsg(ctx, h.sequence)
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.acknowledge(h)
		return err
	}
	h.payload = m.Data
	return nil
}

// postpone gives leases back for a moment.
func (q *queue) postpone(list []*held) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range list {
		if h.state == leased && q.held[h.sequence] == h {
			q.schedule(h, time.Now().Add(time.Second))
		}
	}
}

// next returns what is to be leased next: what is due, then what is new.
func (q *queue) next(now time.Time) *held {
	if len(q.due) > 0 && q.due[0].due <= now.UnixMilli() {
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

// Settle implements [journal.Queue].
func (q *queue) Settle(ctx context.Context, settlements []journal.Settlement) error {
	err := q.bury(ctx, settlements)
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range settlements {
		s := &settlements[i]
		h := q.held[s.Delivery.Sequence]
		if h == nil || h.state != leased {
			continue
		}
		switch {
		case s.Outcome == journal.Retry:
			h.attempts++
			q.schedule(h, s.At)
		case s.Outcome == journal.Defer:
			q.schedule(h, s.At)
		case s.Outcome == journal.Dead && err != nil:
			q.schedule(h, time.Now().Add(time.Second))
		default:
			q.acknowledge(h)
		}
	}
	q.signal()
	return err
}

// schedule makes h due at a time. The lock is held.
func (q *queue) schedule(h *held, at time.Time) {
	h.state, h.due = scheduled, at.UnixMilli()
	if q.dueBytes+h.size > maxDueBytes {
		h.payload = nil
	}
	q.dueBytes += len(h.payload)
	q.due.push(h)
}

// acknowledge tells the servers that h is done, until they confirm it. The lock is held.
func (q *queue) acknowledge(h *held) {
	h.state, h.payload = settled, nil
	q.settled[h.sequence] = h
	q.sendAck(h)
}

// lose forgets everything: another process has the sink. The lock is held.
func (q *queue) lose() {
	q.journal.options.Logger.Warn("another receiver has taken a sink over", "sink", q.sink)
	q.stopEpoch()
	clear(q.held)
	clear(q.settled)
	q.fresh, q.freshBytes, q.due, q.dueBytes, q.behind = nil, 0, nil, 0, 0
}

// stopEpoch ends the pulling. The lock is held.
func (q *queue) stopEpoch() {
	if q.epoch != nil && q.epoch.stop != nil {
		q.epoch.stop()
	}
	q.epoch = nil
}

// end stops the present epoch and waits for its puller.
func (q *queue) end() {
	q.mu.Lock()
	e := q.epoch
	q.stopEpoch()
	q.mu.Unlock()
	if e != nil {
		<-e.done
	}
}

// begin starts to pull with a new consumer. What is held already is recognised when it comes again.
func (q *queue) begin(e *epoch) {
	ctx, stop := context.WithCancel(q.journal.ctx)
	e.stop = stop
	q.mu.Lock()
	defer q.mu.Unlock()
	q.epoch = e
	if e.consumer.CachedInfo().NumPending == 0 {
		q.forgetSettled(e)
	}
	q.journal.group.Go(func() {
		defer close(e.done)
		q.pull(ctx, e)
	})
	q.signal()
}

// release gives the sink to whoever wants it, when what was settled is confirmed and gone from the stream: the next owner must
// not begin with it.
func (q *queue) release(ctx context.Context, s *session) {
	e, last := q.confirmAll(ctx)
	if e == nil {
		return
	}
	for last > 0 {
		if _, err := e.stream.GetMsg(ctx, last); err != nil || !pause(ctx, confirmPause) {
			break
		}
	}
	_ = s.js.DeleteConsumer(ctx, q.journal.options.Name, e.name) // another process does it, if this does not succeed
}

// confirmPause is the wait before the next look at what is to be gone.
const confirmPause = 5 * time.Millisecond

// confirmAll waits until everything that was settled is confirmed. It returns the epoch, if this process has the sink, and the
// number of what was confirmed last.
func (q *queue) confirmAll(ctx context.Context) (e *epoch, last uint64) {
	for {
		q.mu.Lock()
		e, open, last, changed := q.epoch, len(q.settled), q.confirmed, q.changed
		q.mu.Unlock()
		if e == nil || open == 0 {
			return e, last
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return e, 0
		}
	}
}
