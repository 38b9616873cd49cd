package jetstream

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal/jetstream/publish"
)

// Abandon ends the journal as a killed process does: its connection is gone and nothing else happens.
func (j *Journal) Abandon() {
	j.cancel()
	j.session.Load().nc.Close()
	j.group.Wait()
}

// WithClocks returns options with clocks of a test: that of the machine, and how long the process has run.
func WithClocks(o Options, now func() time.Time, uptime func() time.Duration) Options {
	o.now, o.uptime = now, uptime
	return o
}

// PruneUntil removes the first dead letters, up to one that was made, or stored, after a time.
func (j *Journal) PruneUntil(ctx context.Context, before time.Time) error {
	return j.pruneUntil(ctx, before)
}

// FenceAfter is how long a process that is cut off may hand out events.
const FenceAfter = fenceAfter

// RefuseOnce has the servers answer err the next time that an event with this payload is published alone.
func (j *Journal) RefuseOnce(payload string, err error) {
	s := *j.current()
	s.handles = map[string]jetstream.Stream{}
	r := &refusing{JetStream: s.js, payload: payload, err: err}
	r.armed.Store(true)
	s.js = r
	j.session.Store(&s)
}

// refusing refuses one message before it reaches a server.
type refusing struct {
	jetstream.JetStream
	payload string
	err     error
	armed   atomic.Bool
}

// PublishMsgAsync implements [jetstream.JetStream].
func (r *refusing) PublishMsgAsync(m *nats.Msg, options ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	if string(m.Data) != r.payload || m.Header.Get(publish.HeaderBatch) != "" || !r.armed.CompareAndSwap(true, false) {
		return r.JetStream.PublishMsgAsync(m, options...)
	}
	answer := make(refusal, 1)
	answer <- r.err
	return answer, nil
}

// refusal implements [jetstream.PubAckFuture].
type refusal chan error

// Ok implements [jetstream.PubAckFuture].
func (refusal) Ok() <-chan *jetstream.PubAck { return nil }

// Err implements [jetstream.PubAckFuture].
func (r refusal) Err() <-chan error { return r }

// Msg implements [jetstream.PubAckFuture].
func (refusal) Msg() *nats.Msg { return nil }

// The errors that a server answers when it has too many batches, and no leader.
var (
	ErrTooManyBatches = &jetstream.APIError{ErrorCode: publish.CodeTooManyBatches}
	ErrNoLeader       = &jetstream.APIError{ErrorCode: publish.CodeNoLeader}
)
