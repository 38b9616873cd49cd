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
	"github.com/nats-io/nuid"
)

// acquiresAtOnce bounds the consumers that are made at a time.
const acquiresAtOnce = 8

// census is who owns which sink, as the servers say.
type census struct {
	session *session
	stream  jetstream.Stream
	names   []string
	at      time.Time   // when it was asked for
	foreign []string    // consumers that no receiver has made
	refused atomic.Bool // a consumer could not be made because another has its events
}

// owner is what the name of a consumer says: QUEUE-INSTANCE-PROCESS-EPOCH, none of which is longer than 22 characters.
type owner struct{ name, queue, instance, process string }

const ownerParts = 4

func parseOwner(name string) (owner, bool) {
	parts := strings.Split(name, ownerSeparator)
	if len(parts) != ownerParts {
		return owner{}, false
	}
	return owner{name: name, queue: parts[0], instance: parts[1], process: parts[2]}, true
}

// ownerSeparator is in no base64 text.
const ownerSeparator = "="

func (j *Journal) ownerName(queue string) string {
	return strings.Join([]string{queue, j.instance, j.process, nuid.Next()}, ownerSeparator)
}

// own confirms, loses and acquires the sinks that this process has queues for.
func (j *Journal) own(ctx context.Context, c *census) {
	owners := make(map[string]owner, len(c.names))
	for _, name := range c.names {
		if o, ok := parseOwner(name); ok {
			owners[o.queue] = o
		} else {
			c.foreign = append(c.foreign, name)
		}
	}
	gone := j.probe(ctx, c, owners)
	var group sync.WaitGroup
	slots := make(chan struct{}, acquiresAtOnce)
	for _, q := range j.allQueues() {
		o, taken := owners[q.id]
		if !q.review(o.name, c.at) {
			continue
		}
		if taken && o.process != j.process && !gone[o.process] {
			continue
		}
		slots <- struct{}{}
		group.Go(func() {
			q.acquire(ctx, c, o.name)
			<-slots
		})
	}
	group.Wait()
	j.noteForeign(c)
}

// noteForeign says which consumers keep sinks from being fed: the servers allow one that takes a sink's events.
func (j *Journal) noteForeign(c *census) {
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

// silence is what a process that does not answer has missed.
type silence struct {
	probes int       // in a row
	since  time.Time // when the first of them was not answered
}

// over says whether the process must be taken for dead. The count alone does not tell: rounds may follow each other at once.
func (s silence) over(now time.Time) bool {
	return s.probes >= missedProbes && now.Sub(s.since) >= silentFor
}

// probe asks the other owners whether they are there, and returns those that are not: those that have not answered several
// times in a row and for long enough. One whose place this process has taken is gone as soon as nobody is there to answer.
func (j *Journal) probe(ctx context.Context, c *census, owners map[string]owner) map[string]bool {
	others := map[string]owner{}
	for _, o := range owners {
		if o.process != j.process {
			others[o.process] = o
		}
	}
	for process := range j.missed {
		if _, ok := others[process]; !ok {
			delete(j.missed, process)
		}
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	gone := map[string]bool{}
	for process, o := range others {
		group.Go(func() {
			answered, nobody := c.session.answers(ctx, j.aliveSubject(process))
			mu.Lock()
			defer mu.Unlock()
			if answered {
				delete(j.missed, process)
				return
			}
			now, s := time.Now(), j.missed[process]
			if s.probes == 0 {
				s.since = now
			}
			s.probes++
			j.missed[process] = s
			gone[process] = s.over(now) || nobody && j.options.Instance != "" && o.instance == j.instance
		})
	}
	group.Wait()
	return gone
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

// ofAnother says whether name is that of another process's consumer.
func (q *queue) ofAnother(name string) bool {
	o, ok := parseOwner(name)
	return ok && o.process != q.journal.process
}

// acquire makes a consumer in place of the one that is there, if one is.
func (q *queue) acquire(ctx context.Context, c *census, present string) {
	q.end()
	if present != "" {
		err := c.stream.DeleteConsumer(ctx, present)
		if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			q.journal.options.Logger.Warn("a consumer cannot be removed", "sink", q.sink, "error", c.session.denied.explain(err))
			return
		}
	}
	name := q.journal.ownerName(q.id)
	began := time.Now()
	consumer, err := c.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: name, Description: "Feeds " + q.sink, FilterSubject: q.subject,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: -1, MemoryStorage: true,
	})
	if err != nil {
		if codeOf(err) == codeNotUnique {
			c.refused.Store(true) // by another receiver, which was faster, or by somebody else
		} else {
			q.journal.options.Logger.Warn("a consumer cannot be made", "sink", q.sink, "error", c.session.denied.explain(err))
		}
		q.journal.pokeSoon()
		return
	}
	q.begin(&epoch{ //nolint:contextcheck // it lasts longer than this round
		name: name, created: time.Now(), seen: began, arrived: began, consumer: consumer, stream: c.stream, done: make(chan struct{}),
	})
}

// ackWait is long: what is not acknowledged comes again with the next consumer, and not before.
const ackWait = 24 * time.Hour
