package intake

import (
	"runtime"

	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/provider"
)

// decodedAtOnce is the length of a body up to which it is decoded at once. Longer ones wait for a processor: what they become may take
// many times their size, which is known and counted only then. So do compressed ones.
const decodedAtOnce = 8 << 10

func newDecoding() chan struct{} { return make(chan struct{}, runtime.GOMAXPROCS(0)) }

// decode decodes the request, and counts what came of it among the bytes in flight, where it will be held until it is stored.
func (h *Handler) decode(x *exchange) (provider.Batch, *problem) {
	if len(x.request.Body) > decodedAtOnce || x.endpoint.IsGzip(x.request.Body) {
		h.decoding <- struct{}{}
		defer func() { <-h.decoding }()
	}
	decoded := x.endpoint.Decode(&x.request)
	if a := x.reserved.grow(int64(len(x.request.Body)) + endpoint.Size(&decoded)); a != admitted {
		return provider.Batch{}, a.problem()
	}
	return decoded, nil
}
