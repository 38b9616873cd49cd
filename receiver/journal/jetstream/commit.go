package jetstream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// groupMessages and groupBytes bound what one atomic batch holds; a server takes 1,000 messages.
	groupMessages = 500
	groupBytes    = 2 << 20
	// groupsInFlight bounds the batches under way; a server takes 50 for each stream from all its clients.
	groupsInFlight = 4
	// singlesInFlight bounds the entries under way where there is one replica: there a batch is staged in a folder of its own,
	// which costs more than it saves.
	singlesInFlight = 16
	// alonesInFlight bounds the entries of a refused batch that are published alone at a time.
	alonesInFlight = 8
	// retryPause is the wait before the next attempt after a refusal.
	retryPause = 50 * time.Millisecond
)

// item is what one entry or dead letter adds, all or nothing.
type item struct {
	messages []*nats.Msg
	bytes    int
	done     chan struct{} // closed when the result is there

	duplicate bool
	err       error
}

func newItem(messages []*nats.Msg) *item {
	i := &item{messages: messages, done: make(chan struct{})}
	for _, m := range messages {
		i.bytes += len(m.Data)
	}
	return i
}

func (i *item) finish(duplicate bool, err error) {
	i.duplicate, i.err = duplicate, err
	close(i.done)
}

// committer publishes items. Those that come while others are under way share a batch, and with it a round trip.
type committer struct {
	journal *Journal
	items   chan *item
	slots   chan struct{}
	singles bool // no two items share a batch
	group   sync.WaitGroup
}

func newCommitter(j *Journal) *committer {
	c := &committer{journal: j, items: make(chan *item, 2*groupMessages), slots: make(chan struct{}, groupsInFlight)}
	if j.options.Replicas == 1 {
		c.singles, c.slots = true, make(chan struct{}, singlesInFlight)
	}
	return c
}

// run publishes until ctx ends, and waits for what is under way.
func (c *committer) run(ctx context.Context) {
	defer c.group.Wait()
	var first *item
	for {
		select {
		case c.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if first == nil {
			select {
			case first = <-c.items:
			case <-ctx.Done():
				return
			}
		}
		var group []*item
		group, first = c.collect(first)
		c.group.Go(func() {
			defer func() { <-c.slots }()
			c.commit(ctx, group)
		})
	}
}

// collect returns the items that wait and fit into one batch, and the one that did not fit.
func (c *committer) collect(first *item) (group []*item, next *item) {
	messages, bytes := 0, 0
	for i := first; ; {
		if len(group) > 0 && (messages+len(i.messages) > groupMessages || bytes+i.bytes > groupBytes) {
			return group, i
		}
		group = append(group, i)
		if c.singles {
			return group, nil
		}
		messages += len(i.messages)
		bytes += i.bytes
		select {
		case i = <-c.items:
		default:
			return group, nil
		}
	}
}

// commit publishes a group. When it is refused because of one of its entries, a duplicate for instance, each is published alone.
func (c *committer) commit(ctx context.Context, group []*item) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	var all []*nats.Msg
	for _, i := range group {
		all = append(all, i.messages...)
	}
	duplicate, err := c.attempt(ctx, all)
	if len(group) == 1 || !duplicate && !objected(err) {
		for _, i := range group {
			i.finish(duplicate, err)
		}
		return
	}
	slots := make(chan struct{}, alonesInFlight)
	var wait sync.WaitGroup
	for _, i := range group {
		slots <- struct{}{}
		wait.Go(func() {
			i.finish(c.attempt(ctx, i.messages))
			<-slots
		})
	}
	wait.Wait()
}

// attempt publishes until the servers have decided.
func (c *committer) attempt(ctx context.Context, messages []*nats.Msg) (duplicate bool, err error) {
	for {
		s := c.journal.current()
		if s == nil {
			return false, errNotConnected
		}
		c.journal.waits.Add(1)
		duplicate, err = s.publish(ctx, messages)
		if err == nil || !refused(err) || !pause(ctx, retryPause) {
			return duplicate, s.denied.explain(err)
		}
	}
}

var errNotConnected = errors.New("there is no connection to NATS")

// pause waits, and returns false when ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
