package intake

import (
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

// exchange is one POST and the memory that it takes, which is used again for later ones.
type exchange struct {
	endpoint *Endpoint
	token    string // the last path segment, where it is not part of the endpoint's path
	started  time.Time
	request  provider.Request
	pace     pace        // of the body
	reserved reservation // of the handler's budget, until what the request brought is stored
	// encoded holds the events, and then the answer. What was taken of it stays right when it is replaced by a larger one.
	encoded []byte
	// body is what request.Body is a part of.
	body []byte
}

// begin returns an exchange that starts now.
func (h *Handler) begin(e *Endpoint, token string) *exchange {
	x, _ := h.exchanges.Get().(*exchange) // it holds nothing else
	x.endpoint, x.token, x.started = e, token, h.options.Now()
	x.reserved = reservation{budget: &h.budget, endpoint: e}
	return x
}

// release gives the memory of x to later requests, so nothing may hold a part of it any more. A journal that stored a batch
// does not; one that failed to may.
func (h *Handler) release(x *exchange) {
	*x = exchange{body: kept(x.body), encoded: kept(x.encoded)}
	h.exchanges.Put(x)
}

// kept returns the memory of b for another use, unless it is large.
func kept(b []byte) []byte {
	if cap(b) > maxKeptBytes {
		return nil
	}
	return b[:0]
}

// bodyOf returns memory for a body of up to size bytes, with what has arrived of it.
func (x *exchange) bodyOf(size int64, arrived []byte) []byte {
	if int64(cap(x.body)) < size {
		x.body = append(make([]byte, 0, size), arrived...)
	}
	return x.body[:len(arrived):size]
}

// forget lets go of a large body and of what was decoded of it, once all that is stored is encoded: storing it takes several times its
// memory again. How many events there were is still known.
func (x *exchange) forget(decoded *provider.Batch) {
	if len(x.request.Body) > maxKeptBytes {
		x.body, x.request.Body = nil, nil
		clear(decoded.Events)
	}
}

// encode returns the encoded event. It is good until x is released.
func (x *exchange) encode(e *event.Event) ([]byte, error) {
	if len(x.encoded) > 0 && cap(x.encoded)-len(x.encoded) < event.EncodedSize(e) {
		x.encoded = make([]byte, 0, maxKeptBytes) // rather than to copy all that there is into twice as much
	}
	start := len(x.encoded)
	var err error
	x.encoded, err = event.AppendEncode(x.encoded, e, x.endpoint.source)
	end := len(x.encoded)
	return x.encoded[start:end:end], err
}
