package jetstream

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
)

// acknowledge tells the servers that h is done, until they confirm it. The lock is held.
func (q *queue) acknowledge(h *held) {
	h.state, h.payload = settled, nil
	q.settled[h.sequence] = h
	q.sendAck(h)
}

// resendAfter is how long a confirmation may take before the acknowledgement is sent again.
const resendAfter = 2 * time.Second

// sendAck acknowledges h and asks for a confirmation. The lock is held.
func (q *queue) sendAck(h *held) {
	s := q.journal.current()
	if s == nil {
		return
	}
	h.sentAt = time.Now()
	reply := q.journal.confirmations.Subject(message.Confirmation{Queue: q.id, Sequence: h.sequence, Stored: h.stored})
	_ = s.nc.PublishMsg(&nats.Msg{Subject: h.reply, Reply: reply, Data: []byte("+ACK")}) // it is sent again until it is confirmed
}

// resend sends the acknowledgements again that were not confirmed so long after they were sent.
func (q *queue) resend(now time.Time, after time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range q.settled {
		if h.epoch == q.epoch && now.Sub(h.sentAt) > after {
			q.sendAck(h)
		}
	}
}

// maxConfirmed bounds what is remembered, per sink, of what was confirmed, while the servers do not say that it is removed.
const maxConfirmed = 20_000

// confirmed ends what was settled.
func (j *Journal) confirmed(m *nats.Msg) {
	if m.Header.Get("Status") != "" {
		return // nobody is there to take it; it is sent again
	}
	c, ok := j.confirmations.Parse(m.Subject)
	j.mu.Lock()
	q := j.byID[c.Queue]
	j.mu.Unlock()
	if !ok || q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if h := q.settled[c.Sequence]; h != nil && h.stored.Equal(c.Stored) {
		delete(q.settled, c.Sequence)
		q.confirmed = append(q.confirmed, h)
		if len(q.confirmed) > maxConfirmed {
			q.forgetConfirmed(maxConfirmed / 2)
		}
		if len(q.settled) == 0 {
			q.signal()
		}
	}
}

// forgetRemoved forgets what was confirmed, when the servers have removed it. Until then it would come again with the next consumer: the
// one that knows that it is done is not the server that removes it. They remove in the order in which they were told. It returns
// whether nothing is left that they may still have.
func (q *queue) forgetRemoved(ctx context.Context, stream jetstream.Stream) bool {
	q.mu.Lock()
	left := len(q.confirmed)
	if left == 0 {
		q.mu.Unlock()
		return true
	}
	last := q.confirmed[left-1]
	q.mu.Unlock()
	if !removed(ctx, stream, last) {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forgetConfirmed(slices.Index(q.confirmed, last) + 1) // it is not there any more when another process has taken the sink over
	return len(q.confirmed) == 0
}

// forgetConfirmed forgets the first count of what was confirmed. The lock is held.
func (q *queue) forgetConfirmed(count int) {
	for _, h := range q.confirmed[:count] {
		if q.held[h.sequence] == h && q.settled[h.sequence] != h {
			delete(q.held, h.sequence)
		}
	}
	q.confirmed = slices.Delete(q.confirmed, 0, count)
}

// removed reports whether the servers have said that they do not have h any more.
func removed(ctx context.Context, stream jetstream.Stream, h *held) bool {
	m, err := stream.GetMsg(ctx, h.sequence)
	return errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && !m.Time.Equal(h.stored)
}

// release gives the sink to whoever wants it, when what was settled is confirmed and gone from the stream: the next owner must
// not begin with it.
func (q *queue) release(ctx context.Context, s *session) {
	e := q.confirmAll(ctx)
	if e == nil {
		return
	}
	for !q.forgetRemoved(ctx, e.stream) && ctx.Err() == nil {
		time.Sleep(confirmPause)
	}
	_ = s.js.DeleteConsumer(ctx, q.journal.options.Name, e.name) // another process does it, if this does not succeed
}

const (
	// confirmPause is the wait before the next look at what is to be gone.
	confirmPause = 5 * time.Millisecond
	// closeResend is what resendAfter is while the journal is closed.
	closeResend = 250 * time.Millisecond
)

// confirmAll waits until everything that was settled is confirmed, and sends again what is not. It returns the epoch, if this process
// has the sink.
func (q *queue) confirmAll(ctx context.Context) *epoch {
	tick := time.NewTicker(closeResend)
	defer tick.Stop()
	for {
		q.mu.Lock()
		e, waits, changed := q.epoch, q.awaitsConfirmation(), q.changed
		q.mu.Unlock()
		if e == nil || !waits {
			return e
		}
		select {
		case <-changed:
		case <-tick.C:
			q.resend(time.Now(), closeResend)
		case <-ctx.Done():
			return e
		}
	}
}

// awaitsConfirmation reports whether something was settled that can be confirmed, and is not: what an earlier epoch brought, and the
// present one did not yet, cannot. The lock is held.
func (q *queue) awaitsConfirmation() bool {
	for _, h := range q.settled {
		if h.epoch == q.epoch {
			return true
		}
	}
	return false
}
