package kafkasink

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mailvane/mailvane/receiver/sink"
)

// Bounds of what a client has of sends that nobody waits for any more.
const (
	// maxAbandonedBytes is how much may be unanswered before nothing new is sent.
	maxAbandonedBytes = 16 << 20
	// maxRemembered is how many events are known that were stored after their send had ended.
	maxRemembered = 50_000
	// maxBuffered is more than the sends in flight may have: they are bounded by the delivery policy.
	maxBuffered = 1 << 24
)

// producer is a client, and what it was given. The client goes on trying with what was sent when a send has ended, and only then can brokers
// know a record again: so the next send of the same event waits for that record, and sends no second one.
type producer struct {
	client *kgo.Client

	mu sync.Mutex
	// pending are records without an answer, by the ids of their events.
	pending map[string]*sent
	// abandoned is the size of those that nobody waits for.
	abandoned int
	stored    remembered
}

// sent is a record that the client has.
type sent struct {
	size int
	// call waits for it, at index; nil = nobody does.
	call  *call
	index int
}

// call is one send that waits for records.
type call struct {
	sent []*sent
	// failed has why records were not stored, by their index. It is read when done is closed, or the call has left.
	failed  map[int]error
	waiting int
	done    chan struct{}
}

func newProducer(options []kgo.Opt) (*producer, error) {
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("settings that the client does not take: %w", err)
	}
	return &producer{client: client, pending: map[string]*sent{}, stored: remembered{ids: map[string]bool{}}}, nil
}

// produce gives the client the records that it does not have, which are those of the messages, or nil. What fails is added to failed until
// the call is done or has left.
func (p *producer) produce(messages []sink.Message, records []*kgo.Record, failed map[int]error) *call {
	c := &call{failed: failed, done: make(chan struct{})}
	fresh := p.register(c, messages, records)
	for _, i := range fresh {
		records[i] = copied(records[i])
	}
	for n, i := range fresh {
		id, s := messages[i].ID, c.sent[n]
		p.client.TryProduce(context.Background(), records[i], func(r *kgo.Record, err error) { p.settle(id, s, classify(err, r.Topic)) })
	}
	return c
}

// register has a call wait for records, and returns the indices of those that are to be sent. They are the first of the call's.
func (p *producer) register(c *call, messages []sink.Message, records []*kgo.Record) (fresh []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var again []*sent
	full := p.abandoned >= maxAbandonedBytes
	for i, r := range records {
		if r == nil {
			continue
		}
		id := messages[i].ID
		if p.stored.take(id) {
			continue
		}
		s, has := p.pending[id]
		switch {
		case has && s.call == nil:
			p.abandoned -= s.size
			s.call, s.index = c, i
			again = append(again, s)
			continue
		case full:
			c.failed[i] = errFull
			continue
		}
		s = &sent{size: len(r.Value), call: c, index: i}
		if !has { // with another send of the same event under way there are two records
			p.pending[id] = s
		}
		c.sent = append(c.sent, s)
		fresh = append(fresh, i)
	}
	c.sent = append(c.sent, again...)
	if c.waiting = len(c.sent); c.waiting == 0 {
		close(c.done)
	}
	return fresh
}

// settle notes what became of a record.
func (p *producer) settle(id string, s *sent, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.pending[id] == s
	if known {
		delete(p.pending, id)
	}
	c := s.call
	if c == nil {
		p.abandoned -= s.size
		if err == nil && known {
			p.stored.add(id)
		}
		return
	}
	s.call = nil
	if err != nil {
		c.failed[s.index] = err
	}
	if c.waiting--; c.waiting == 0 {
		close(c.done)
	}
}

// leave has a call wait no longer: err is why what is unanswered has failed for the moment.
func (p *producer) leave(c *call, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range c.sent {
		if s.call == c {
			s.call = nil
			p.abandoned += s.size
			c.failed[s.index] = err
		}
	}
}

// remembered are ids, the oldest of which go when there are too many.
type remembered struct {
	ids   map[string]bool
	order []string
}

func (r *remembered) add(id string) {
	if r.ids[id] {
		return
	}
	if len(r.order) >= maxRemembered {
		delete(r.ids, r.order[0])
		r.order = r.order[1:]
	}
	r.ids[id] = true
	r.order = append(r.order, id)
}

// take reports whether an id was there, and takes it out.
func (r *remembered) take(id string) bool {
	if !r.ids[id] {
		return false
	}
	delete(r.ids, id)
	return true
}
