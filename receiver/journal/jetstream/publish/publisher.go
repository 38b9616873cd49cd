package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/mailvane/mailvane/receiver/journal"
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

func messagesOf(items []*Item) []*nats.Msg {
	var all []*nats.Msg
	for _, i := range items {
		all = append(all, i.Messages...)
	}
	return all
}

// Publisher publishes requests. Those that come while others are under way share a batch, and with it a round trip.
type Publisher struct {
	sender   func() Sender
	waits    *atomic.Int64
	requests chan *Request
	slots    chan struct{}
	share    bool
	ended    chan struct{} // closed when nothing is published any more
	group    sync.WaitGroup
}

// New returns a publisher, which publishes when it is run. share says that requests may share a batch. sender returns what the next attempt
// is sent with, or nil while there is no connection. waits counts the waits for an answer of the servers.
func New(share bool, sender func() Sender, waits *atomic.Int64) *Publisher {
	p := &Publisher{sender: sender, waits: waits, requests: make(chan *Request, 2*groupMessages), share: share, ended: make(chan struct{})}
	p.slots = make(chan struct{}, singlesInFlight)
	if share {
		p.slots = make(chan struct{}, groupsInFlight)
	}
	return p
}

// ErrTooSlow is the cause of the end of a context that [Timeout] bounds.
var ErrTooSlow = fmt.Errorf("the servers did not confirm within %v", Timeout)

// Add hands items over that are to be stored in order; the request is nil when there are none. The error is [journal.ErrClosed] when nothing is
// published any more, or the cause of the end of ctx.
func (p *Publisher) Add(ctx context.Context, items []*Item) (*Request, error) {
	if len(items) == 0 {
		return nil, nil
	}
	r := newRequest(items)
	select {
	case p.requests <- r:
		return r, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-p.ended:
		return nil, journal.ErrClosed
	}
}

// Run publishes until ctx ends, and waits for what is under way.
func (p *Publisher) Run(ctx context.Context) {
	defer p.group.Wait()
	defer close(p.ended)
	var first *Request
	for {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if first == nil {
			select {
			case first = <-p.requests:
			case <-ctx.Done():
				return
			}
		}
		var group []*Request
		group, first = p.collect(first)
		p.group.Go(func() {
			defer func() { <-p.slots }()
			p.commit(ctx, group)
		})
	}
}

// collect returns the requests that wait and fit into one batch, and the one that did not fit.
func (p *Publisher) collect(first *Request) (group []*Request, next *Request) {
	messages, bytes := 0, 0
	for r := first; ; {
		if len(group) > 0 && (messages+r.messages > groupMessages || bytes+r.bytes > groupBytes) {
			return group, r
		}
		group = append(group, r)
		messages += r.messages
		bytes += r.bytes
		if !p.share {
			return group, nil
		}
		select {
		case r = <-p.requests:
		default:
			return group, nil
		}
	}
}

// commit publishes a group as one batch. When that is refused because of one of its entries, a duplicate for instance, each
// request is published on its own.
func (p *Publisher) commit(ctx context.Context, group []*Request) {
	ctx, cancel := context.WithTimeoutCause(ctx, Timeout, ErrTooSlow)
	defer cancel()
	if len(group) == 1 {
		group[0].finish(p.commitRequest(ctx, group[0]))
		return
	}
	var all []*Item
	for _, r := range group {
		all = append(all, r.items...)
	}
	duplicate, err := p.attempt(ctx, messagesOf(all))
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
			r.finish(p.commitRequest(ctx, r))
			<-slots
		})
	}
	wait.Wait()
}

// commitRequest publishes one request, in as many batches as it takes, one after the other to keep its order.
func (p *Publisher) commitRequest(ctx context.Context, r *Request) error {
	for rest := r.items; len(rest) > 0; {
		n := fitting(rest)
		if err := p.commitItems(ctx, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// fitting returns how many of the items fit into one batch, at least 1.
func fitting(items []*Item) int {
	messages, bytes := 0, 0
	for n, i := range items {
		messages += len(i.Messages)
		bytes += i.bytes()
		if n > 0 && (messages > groupMessages || bytes > groupBytes) {
			return n
		}
	}
	return len(items)
}

// commitItems publishes items as one batch, or each alone when one of them is a duplicate.
func (p *Publisher) commitItems(ctx context.Context, items []*Item) error {
	duplicate, err := p.attempt(ctx, messagesOf(items))
	if len(items) == 1 {
		items[0].duplicate = duplicate
		return err
	}
	if !duplicate && !objected(err) {
		return err
	}
	return p.commitAlone(ctx, items)
}

// commitAlone publishes each item alone, several at a time, but those of one ordering key one after the other: what is refused for the
// moment must not be overtaken by what is behind it.
func (p *Publisher) commitAlone(ctx context.Context, items []*Item) error {
	lanes := byKey(items)
	errs := make([]error, len(lanes))
	slots := make(chan struct{}, alonesInFlight)
	var wait sync.WaitGroup
	for n, lane := range lanes {
		slots <- struct{}{}
		wait.Go(func() {
			errs[n] = p.commitInOrder(ctx, lane)
			<-slots
		})
	}
	wait.Wait()
	return cmp.Or(errs...)
}

// byKey returns the items by ordering key, those of each in order. What has none is by itself.
func byKey(items []*Item) (lanes [][]*Item) {
	numbers := map[string]int{}
	for _, i := range items {
		n, known := numbers[i.Key]
		if known && i.Key != "" {
			lanes[n] = append(lanes[n], i)
			continue
		}
		numbers[i.Key] = len(lanes)
		lanes = append(lanes, []*Item{i})
	}
	return lanes
}

// commitInOrder publishes items one after the other, and ends at the first error.
func (p *Publisher) commitInOrder(ctx context.Context, items []*Item) (err error) {
	for _, i := range items {
		if i.duplicate, err = p.attempt(ctx, i.Messages); err != nil {
			return err
		}
	}
	return nil
}

// attempt publishes until the servers have decided.
func (p *Publisher) attempt(ctx context.Context, messages []*nats.Msg) (duplicate bool, err error) {
	for {
		s := p.sender()
		if s == nil {
			return false, ErrNotConnected
		}
		p.waits.Add(1)
		duplicate, err = publish(ctx, s, messages)
		if err == nil || !refused(err) || !pause(ctx, retryPause) {
			return duplicate, s.Explain(err)
		}
	}
}

func publish(ctx context.Context, s Sender, messages []*nats.Msg) (duplicate bool, err error) {
	sent, err := s.Send(messages)
	if err != nil {
		return false, err
	}
	return answer(ctx, sent)
}

// ErrNotConnected says that there was no connection to try it with.
var ErrNotConnected = errors.New("there is no connection to NATS")

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
