package jetstream

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
)

// state says where a delivery is in this process.
type state int

const (
	fresh     state = iota // came from the servers and was not leased yet
	leased                 // a worker has it
	scheduled              // is due at a time
	settled                // done; the servers may still have it
	unburied               // will be a dead letter as soon as that can be stored
)

// held is one delivery that the servers have given to this process.
type held struct {
	sequence   uint64
	stored     time.Time // by the servers; with it, sequence names one message also where sequences have begun again
	reply      string    // where it is acknowledged, in the present epoch
	epoch      *epoch
	state      state
	lease      uint64 // number of the last lease, which [journal.Delivery.Lease] repeats
	key        string
	accepted   time.Time
	attempts   int
	payload    []byte
	size       int      // of the payload, also when it was dropped
	sinks      []string // of an event of the history, which it was owed to
	sinksKnown bool
	due        int64               // milliseconds since 1970; 0 = it was not scheduled yet
	letter     *journal.DeadLetter // of what is unburied, without the payload
	place      int                 // in the heap of what is scheduled
	sentAt     time.Time
}

// dropped reports whether only the servers have the payload.
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
	dueBytes   int              // payloads in due
	settled    map[uint64]*held // what the servers have not confirmed
	confirmed  []*held          // what they have, and may not have removed yet
	leases     uint64           // how many were given out
	behind     uint64           // how many more the servers had when the last one came
	resting    time.Time        // nothing is leased until then
	unburied   []*held          // dead, but not buried yet, in the order in which they died
	buryAt     time.Time        // when that is tried again
	buryPause  time.Duration    // what the wait was for the last time
}

func newQueue(j *Journal, sink string) *queue {
	return &queue{
		journal: j, sink: sink, subject: j.subjects.Sink(sink), id: message.ID(sink),
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

// Settle implements [journal.Queue].
func (q *queue) Settle(ctx context.Context, settlements []journal.Settlement) error {
	if err := journal.CheckSettlements(settlements); err != nil {
		return err
	}
	buried := q.bury(ctx, settlements)
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range settlements {
		for d := range settlements[i].Deliveries {
			if h := q.leased(&settlements[i].Deliveries[d]); h != nil {
				q.settle(h, &settlements[i], buried)
			}
		}
	}
	q.signal()
	return nil
}

// leased returns what was leased as d, or nil when that lease has ended: the sink may have been lost and won back meanwhile, and
// the same event be leased anew. The lock is held.
func (q *queue) leased(d *journal.Delivery) *held {
	if h := q.held[d.Sequence]; h != nil && h.state == leased && h.lease == d.Lease {
		return h
	}
	return nil
}

// settle ends one lease. What is dead is done only if it was buried. The lock is held.
func (q *queue) settle(h *held, s *journal.Settlement, buried bool) {
	switch {
	case s.Outcome == journal.Retry:
		h.attempts++
		q.schedule(h, s.At)
	case s.Outcome == journal.Defer:
		q.schedule(h, s.At)
	case s.Outcome == journal.Dead && !buried:
		q.keepUnburied(h, s.DeadLetter)
	default:
		q.acknowledge(h)
	}
}

// schedule makes h due at a time. The lock is held.
func (q *queue) schedule(h *held, at time.Time) {
	h.due = at.UnixMilli()
	q.addDue(h)
}

// addDue puts h among what is scheduled. The lock is held.
func (q *queue) addDue(h *held) {
	h.state = scheduled
	if q.dueBytes+h.size > maxDueBytes {
		h.payload = nil
	}
	q.dueBytes += len(h.payload)
	q.due.push(h)
}

// lose forgets everything: another process has the sink. The lock is held.
func (q *queue) lose() {
	q.journal.options.Logger.Warn("another receiver has taken a sink over", "sink", q.sink)
	q.stopEpoch()
	clear(q.held)
	clear(q.settled)
	q.fresh, q.freshBytes, q.due, q.dueBytes, q.behind, q.confirmed, q.unburied = nil, 0, nil, 0, 0, nil, nil
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

// begin starts to pull with a new consumer. What was leased before is recognised when it comes again.
func (q *queue) begin(e *epoch) {
	ctx, stop := context.WithCancel(q.journal.ctx)
	e.stop = stop
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range q.fresh {
		delete(q.held, h.sequence)
	}
	q.fresh, q.freshBytes, q.behind = nil, 0, 0
	e.unseen = slices.SortedFunc(maps.Values(q.held), func(a, b *held) int { return cmp.Compare(a.sequence, b.sequence) })
	q.epoch = e
	if e.consumer.CachedInfo().NumPending == 0 {
		q.pass(e, math.MaxUint64)
	}
	q.journal.group.Go(func() {
		defer close(e.done)
		q.pull(ctx, e)
	})
	q.signal()
}
