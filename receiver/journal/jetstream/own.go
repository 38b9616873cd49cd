package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal/jetstream/owner"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/publish"
)

// acquiresAtOnce bounds the consumers that are made at a time.
const acquiresAtOnce = 8

// ownership says who owns which sink, as the servers say.
type ownership struct {
	session *session
	stream  jetstream.Stream
	names   []string
	at      time.Time   // when it was asked for
	foreign []string    // consumers that no receiver has made
	refused atomic.Bool // a consumer could not be made because another has its events
}

// own confirms, loses and acquires the sinks that this process has queues for.
func (j *Journal) own(ctx context.Context, c *ownership) {
	owners := make(map[string]owner.Owner, len(c.names))
	for _, name := range c.names {
		if o, ok := owner.Parse(name); ok {
			owners[o.Queue] = o
		} else {
			c.foreign = append(c.foreign, name)
		}
	}
	gone := j.presence.Gone(ctx, owners, func(ctx context.Context, process string) (answered, nobody bool) {
		return c.session.answers(ctx, j.subjects.Alive(process))
	})
	var group sync.WaitGroup
	slots := make(chan struct{}, acquiresAtOnce)
	for _, q := range j.allQueues() {
		o, taken := owners[q.id]
		if !q.review(o.Name, c.at) {
			continue
		}
		if taken && o.Process != j.process && !gone[o.Process] {
			continue
		}
		slots <- struct{}{}
		group.Go(func() {
			q.acquire(ctx, c, o.Name)
			<-slots
		})
	}
	group.Wait()
	j.noteForeign(c)
}

// noteForeign says which consumers keep sinks from being fed: the servers allow one that takes a sink's events.
func (j *Journal) noteForeign(c *ownership) {
	problem := ""
	if len(c.foreign) > 0 && c.refused.Load() {
		slices.Sort(c.foreign)
		problem = fmt.Sprintf("events are not delivered: stream %s has consumers that no receiver has made, %s; remove those that take events of sinks, as with nats consumer rm %s %s",
			j.options.Name, strings.Join(c.foreign, ", "), j.options.Name, c.foreign[0])
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if problem != "" && problem != j.foreign {
		j.options.Logger.Error("sinks are not fed", "problem", problem)
	}
	j.foreign = problem
}

// epoch is the time from the creation of a consumer to its end. Within it, deliveries are numbered without a gap.
type epoch struct {
	name     string
	created  time.Time
	seen     time.Time // when the servers last said that the consumer is there
	last     uint64    // number of the last delivery
	arrived  time.Time // when it came
	unseen   []*held   // what was held when it began and may come again, by sequence
	broken   bool
	stop     context.CancelFunc
	consumer jetstream.Consumer
	stream   jetstream.Stream
	done     chan struct{}
}

// review compares what the queue believes with the name of the consumer that exists, if one does. It returns true when the
// queue should have a consumer and has none that works.
func (q *queue) review(name string, at time.Time) (acquire bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.epoch
	switch {
	case q.ofAnother(name):
		if e != nil || len(q.held) > 0 {
			q.lose()
		}
	case e == nil:
	case name == e.name && !e.broken && !q.stalled(at):
		e.seen = at
		q.signal()
		return false
	case name == "" && !e.created.Before(at):
		return false // it was made after the servers were asked
	}
	return q.wanted
}

// ofAnother reports whether name is that of another process's consumer.
func (q *queue) ofAnother(name string) bool {
	o, ok := owner.Parse(name)
	return ok && o.Process != q.journal.process
}

// acquire makes a consumer in place of the one that is there, if one is.
func (q *queue) acquire(ctx context.Context, c *ownership, present string) {
	q.end()
	if present != "" {
		err := c.stream.DeleteConsumer(ctx, present)
		if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			q.journal.options.Logger.Warn("a consumer cannot be removed", "sink", q.sink, "error", c.session.denied.explain(err))
			return
		}
	}
	name := owner.NewName(q.id, q.journal.instance, q.journal.process)
	began := time.Now()
	consumer, err := c.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: name, Description: "Feeds " + q.sink, FilterSubject: q.subject,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: -1, MemoryStorage: true,
	})
	if err != nil {
		if publish.CodeOf(err) == publish.CodeNotUnique {
			c.refused.Store(true) // by another receiver, which was faster, or by somebody else
		} else {
			q.journal.options.Logger.Warn("a consumer cannot be made", "sink", q.sink, "error", c.session.denied.explain(err))
		}
		q.journal.wakeSoon()
		return
	}
	q.begin(&epoch{ //nolint:contextcheck // it lasts longer than this pass
		name: name, created: time.Now(), seen: began, arrived: began, consumer: consumer, stream: c.stream, done: make(chan struct{}),
	})
}

// ackWait is long: what is not acknowledged comes again with the next consumer, and not before.
const ackWait = 24 * time.Hour
