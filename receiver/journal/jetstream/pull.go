package jetstream

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
)

const (
	// freshEvents and freshBytes bound what waits in memory for a worker, per sink; the client may hold as much again.
	freshEvents = 256
	freshBytes  = 4 << 20
	// maxDueBytes bounds the payloads of what is scheduled, per sink; beyond it they are read again when they are due.
	maxDueBytes = 16 << 20
	// pullExpiry is how long one request for events lasts, and pullHeartbeat how often the servers say that they still have it.
	pullExpiry    = 10 * time.Second
	pullHeartbeat = 2 * time.Second
	// stallAfter is how long nothing may come although the servers have more, before the consumer is replaced.
	stallAfter = 5 * time.Second
)

// pull takes what the servers have until ctx ends or something is amiss; then the consumer is replaced.
func (q *queue) pull(ctx context.Context, e *epoch) {
	s := q.journal.current()
	// A message that is larger than the limit would never come.
	limit := max(freshBytes, 2*int(s.nc.MaxPayload()))
	messages, err := e.consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(freshEvents, limit),
		jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		q.fail(e, err)
		return
	}
	defer messages.Stop()
	for q.waitForRoom(ctx) {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			q.fail(e, err)
			return
		}
		if !q.take(e, m) {
			return
		}
	}
}

// fail marks an epoch for replacement.
func (q *queue) fail(e *epoch, err error) {
	q.journal.options.Logger.Warn("a consumer is replaced", "sink", q.sink, "reason", err)
	q.mu.Lock()
	defer q.mu.Unlock()
	e.broken = true
	q.journal.wake()
}

func (q *queue) hasRoom() bool { return len(q.fresh) < freshEvents && q.freshBytes < freshBytes }

func (q *queue) waitForRoom(ctx context.Context) bool {
	for {
		q.mu.Lock()
		room, changed := q.hasRoom(), q.changed
		q.mu.Unlock()
		if room {
			return ctx.Err() == nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// take takes one message over. It returns false when one before it was lost on its way.
func (q *queue) take(e *epoch, m jetstream.Msg) bool {
	meta, err := m.Metadata()
	if err != nil {
		q.fail(e, err)
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.epoch != e {
		return false
	}
	if meta.Sequence.Consumer != e.last+1 {
		e.broken = true
		q.journal.wake()
		return false
	}
	e.last, e.arrived, q.behind = meta.Sequence.Consumer, time.Now(), meta.NumPending
	q.pass(e, meta.Sequence.Stream)
	q.put(e, m, meta)
	if meta.NumPending == 0 {
		q.pass(e, math.MaxUint64)
	}
	q.signal()
	return true
}

// put adds a message, or recognises one that is held already. What has its number and is another message is forgotten: it was
// in a stream that is no more. The lock is held.
func (q *queue) put(e *epoch, m jetstream.Msg, meta *jetstream.MsgMetadata) {
	sequence := meta.Sequence.Stream
	h := q.held[sequence]
	if h != nil && !h.stored.Equal(meta.Timestamp) {
		q.forget(h)
		h = nil
	}
	if h != nil {
		h.reply, h.epoch = m.Reply(), e
		if h.state == settled {
			q.acknowledge(h)
		}
		return
	}
	header := m.Headers()
	h = &held{
		sequence: sequence, stored: meta.Timestamp, reply: m.Reply(), epoch: e,
		key: message.OrderingKey(header), accepted: message.AcceptedAt(header), payload: m.Data(), size: len(m.Data()),
	}
	h.sinks, h.sinksKnown = message.Sinks(header)
	q.held[sequence] = h
	q.addFresh(h)
}

// addFresh puts h among what was not leased yet. The lock is held.
func (q *queue) addFresh(h *held) {
	h.state = fresh
	at, _ := slices.BinarySearchFunc(q.fresh, h.sequence, func(h *held, s uint64) int { return int(h.sequence) - int(s) })
	q.fresh = slices.Insert(q.fresh, at, h)
	q.freshBytes += len(h.payload)
}

// forget drops h wherever it is. A worker that has leased it settles nothing. The lock is held.
func (q *queue) forget(h *held) {
	delete(q.held, h.sequence)
	delete(q.settled, h.sequence)
	switch h.state {
	case fresh:
		at := slices.Index(q.fresh, h)
		q.fresh = slices.Delete(q.fresh, at, at+1)
		q.freshBytes -= len(h.payload)
	case scheduled:
		q.due.remove(h.place)
		q.dueBytes -= len(h.payload)
	case leased, settled, unburied: // nothing else leads to it that does not look whether it is held
	}
}

// pass forgets what is held of earlier epochs before a sequence, when e, which brings everything in order, has got there: the servers
// do not have it any more. It was settled, or another process has delivered it. The lock is held.
func (q *queue) pass(e *epoch, sequence uint64) {
	for len(e.unseen) > 0 && e.unseen[0].sequence < sequence {
		if h := e.unseen[0]; q.missing(e, h) {
			q.forget(h)
		}
		e.unseen = e.unseen[1:]
	}
}

// missing reports whether h, which was held when e began, still is and was not brought by e. The lock is held.
func (q *queue) missing(e *epoch, h *held) bool { return h.epoch != e && q.held[h.sequence] == h }

// stalled reports whether the servers have more than came, for too long. If they have no more, what is missing is gone. The lock is held.
func (q *queue) stalled(now time.Time) bool {
	e := q.epoch
	if now.Sub(e.arrived) <= stallAfter || !q.hasRoom() {
		return false
	}
	came := int64(len(q.held))
	for _, h := range e.unseen {
		if q.missing(e, h) {
			came--
		}
	}
	if q.journal.pendingOf(q.sink) > came {
		return true
	}
	q.pass(e, math.MaxUint64)
	return false
}

func (j *Journal) pendingOf(sink string) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stats.Pending[sink]
}
