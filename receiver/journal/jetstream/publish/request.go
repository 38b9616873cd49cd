package publish

import (
	"context"

	"github.com/nats-io/nats.go"
)

// Item is what one entry or dead letter adds, all or nothing.
type Item struct {
	// Messages are at least one; they belong to the item until its request is done.
	Messages []*nats.Msg
	// Key is that of the order: items with one key are stored in their order, whatever is refused. Empty = the item has none.
	Key       string
	duplicate bool
}

// Request is what one Append adds to a stream, in order.
type Request struct {
	items           []*Item
	messages, bytes int
	done            chan struct{} // closed when the result is there
	err             error
}

func newRequest(items []*Item) *Request {
	r := &Request{items: items, done: make(chan struct{})}
	for _, i := range items {
		r.messages += len(i.Messages)
		r.bytes += i.bytes()
	}
	return r
}

func (i *Item) bytes() int {
	n := 0
	for _, m := range i.Messages {
		n += len(m.Data)
	}
	return n
}

func (r *Request) finish(err error) {
	r.err = err
	close(r.done)
}

// Wait waits until everything of the request is stored, or was before.
func (r *Request) Wait(ctx context.Context) error {
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Duplicates counts the items that had been stored before. It is 0 until everything is decided, even where a wait has ended.
func (r *Request) Duplicates() int {
	if r == nil || !r.decided() {
		return 0
	}
	n := 0
	for _, i := range r.items {
		if i.duplicate {
			n++
		}
	}
	return n
}

// decided says that nothing of the request is under way any more.
func (r *Request) decided() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
