package intake

import (
	"time"

	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/tracing"
)

// exchange is one POST and the memory that it takes, which is used again for later ones.
type exchange struct {
	endpoint *site
	token    string // the last path segment, where it is not part of the endpoint's path
	started  time.Time
	request  provider.Request
	span     *tracing.Span
	bearer   string          // what was signed in place of the body; see [provider.Proof]
	pace     pace            // of the body
	reply    *provider.Reply // in place of the receipt; nil = the receipt
	reserved reservation     // of the handler's budget, until what the request brought is stored
	// arena holds the events, and then the answer.
	arena endpoint.Arena
	// body is what request.Body is a part of.
	body []byte
}

// begin returns an exchange that starts now.
func (h *Handler) begin(e *site, token string) *exchange {
	x, _ := h.exchanges.Get().(*exchange) // it holds nothing else
	x.endpoint, x.token, x.started = e, token, h.options.Now()
	x.reserved = reservation{budget: &h.budget, endpoint: e}
	return x
}

// release gives the memory of x to later requests, so nothing may hold a part of it any more. A journal that stored a batch
// does not; one that failed to may.
func (h *Handler) release(x *exchange) {
	x.arena.Reset()
	*x = exchange{body: kept(x.body), arena: x.arena}
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
