package jetstream

import (
	"cmp"
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
	// singlesInFlight bounds the requests under way where there is one replica: there a batch is staged in a folder of its own,
	// which costs more than it saves, and requests do not share one.
	singlesInFlight = 16
	// alonesInFlight bounds the parts of a refused batch that are published alone at a time.
	alonesInFlight = 8
	// retryPause is the wait before the next attempt after a refusal.
	retryPause = 50 * time.Millisecond
)

// item is what one entry or dead letter adds, all or nothing.
type item struct {
	messages  []*nats.Msg
	duplicate bool
}

// request is what one Append adds to a stream, in order.
type request struct {
	items           []*item
	messages, bytes int
	done            chan struct{} // closed when the result is there
	err             error
}

func newRequest(items []*item) *request {
	r := &request{items: items, done: make(chan struct{})}
	for _, i := range items {
		r.messages += len(i.messages)
		r.bytes += i.bytes()
	}
	return r
}

func (i *item) bytes() int {
	n := 0
	for _, m := range i.messages {
		n += len(m.Data)
	}
	return n
}

func (r *request) finish(err error) {
	r.err = err
	close(r.done)
}

func messagesOf(items []*item) []*nats.Msg {
	var all []*nats.Msg
	for _, i := range items {
		all = append(all, i.messages...)
	}
	return all
}

// committer publishes requests. Those that come while others are under way share a batch, and with it a round trip.
type committer struct {
	journal  *Journal
	requests chan *request
	slots    chan struct{}
	share    bool
	group    sync.WaitGroup
}

func newCommitter(j *Journal) *committer {
	c := &committer{journal: j, requests: make(chan *request, 2*groupMessages), share: j.options.Replicas > 1}
	c.slots = make(chan struct{}, singlesInFlight)
	if c.share {
		c.slots = make(chan struct{}, groupsInFlight)
	}
	return c
}

// run publishes until ctx ends, and waits for what is under way.
func (c *committer) run(ctx context.Context) {
	defer c.group.Wait()
	var first *request
	for {
		select {
		case c.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if first == nil {
			select {
			case first = <-c.requests:
			case <-ctx.Done():
				return
			}
		}
		var group []*request
		group, first = c.collect(first)
		c.group.Go(func() {
			defer func() { <-c.slots }()
			c.commit(ctx, group)
		})
	}
}

// collect returns the requests that wait and fit into one batch, and the one that did not fit.
func (c *committer) collect(first *request) (group []*request, next *request) {
	messages, bytes := 0, 0
	for r := first; ; {
		if len(group) > 0 && (messages+r.messages > groupMessages || bytes+r.bytes > groupBytes) {
			return group, r
		}
		group = append(group, r)
		messages += r.messages
		bytes += r.bytes
		if !c.share {
			return group, nil
		}
		select {
		case r = <-c.requests:
		default:
			return group, nil
		}
	}
}

// commit publishes a group as one batch. When that is refused because of one of its entries, a duplicate for instance, each
// request is published on its own.
func (c *committer) commit(ctx context.Context, group []*request) {
	ctx, cancel := context.WithTimeoutCause(ctx, appendTimeout, errTooSlow)
	defer cancel()
	if len(group) == 1 {
		group[0].finish(c.commitRequest(ctx, group[0]))
		return
	}
	var all []*item
	for _, r := range group {
		all = append(all, r.items...)
	}
	duplicate, err := c.attempt(ctx, messagesOf(all))
	if !duplicate && !objected(err) {
		for _, r := range group {
			r.finish(err)
		}
		return
	}
	slots := make(chan struct{}, alonesInFlight)
	var wait sync.WaitGroup
	for _, r := range group {
		slots <- struct{}{}
		wait.Go(func() {
			r.finish(c.commitRequest(ctx, r))
			<-slots
		})
	}
	wait.Wait()
}

// commitRequest publishes one request, in as many batches as it takes, one after the other to keep its order.
func (c *committer) commitRequest(ctx context.Context, r *request) error {
	for rest := r.items; len(rest) > 0; {
		n := fitting(rest)
		if err := c.commitItems(ctx, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// fitting returns how many of the items fit into one batch, at least 1.
func fitting(items []*item) int {
	messages, bytes := 0, 0
	for n, i := range items {
		messages += len(i.messages)
		bytes += i.bytes()
		if n > 0 && (messages > groupMessages || bytes > groupBytes) {
			return n
		}
	}
	return len(items)
}

// commitItems publishes items as one batch, or each alone when one of them is a duplicate.
func (c *committer) commitItems(ctx context.Context, items []*item) error {
	duplicate, err := c.attempt(ctx, messagesOf(items))
	if len(items) == 1 {
		items[0].duplicate = duplicate
		return err
	}
	if !duplicate && !objected(err) {
		return err
	}
	return c.commitAlone(ctx, items)
}

// commitAlone publishes each item alone, several at a time, but those of one ordering key one after the other: what is refused for the
// moment must not be overtaken by what is behind it.
func (c *committer) commitAlone(ctx context.Context, items []*item) error {
	lanes := byKey(items)
	errs := make([]error, len(lanes))
	slots := make(chan struct{}, alonesInFlight)
	var wait sync.WaitGroup
	for n, lane := range lanes {
		slots <- struct{}{}
		wait.Go(func() {
			errs[n] = c.commitInOrder(ctx, lane)
			<-slots
		})
	}
	wait.Wait()
	return cmp.Or(errs...)
}

// byKey returns the items by ordering key, those of each in order. What has none is by itself.
func byKey(items []*item) (lanes [][]*item) {
	numbers := map[string]int{}
	for _, i := range items {
		key := i.messages[0].Header.Get(headerKey)
		n, known := numbers[key]
		if known && key != "" {
			lanes[n] = append(lanes[n], i)
			continue
		}
		numbers[key] = len(lanes)
		lanes = append(lanes, []*item{i})
	}
	return lanes
}

// commitInOrder publishes items one after the other, and ends at the first error.
func (c *committer) commitInOrder(ctx context.Context, items []*item) (err error) {
	for _, i := range items {
		if i.duplicate, err = c.attempt(ctx, i.messages); err != nil {
			return err
		}
	}
	return nil
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
