package intake

import (
	"runtime"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

// decodedAtOnce is the length of a body up to which it is decoded at once. Longer ones wait for a processor: what they become may take
// many times their size, which is known and counted only then.
const decodedAtOnce = 8 << 10

func newDecoding() chan struct{} { return make(chan struct{}, runtime.GOMAXPROCS(0)) }

// decode decodes the request, and counts what came of it among the bytes in flight, where it will be held until it is stored.
func (h *Handler) decode(x *exchange) (provider.Batch, *problem) {
	if len(x.request.Body) > decodedAtOnce {
		h.decoding <- struct{}{}
		defer func() { <-h.decoding }()
	}
	decoded := x.endpoint.decode(&x.request)
	if a := x.reserved.grow(int64(len(x.request.Body)) + sizeOf(&decoded)); a != admitted {
		return provider.Batch{}, a.problem()
	}
	return decoded, nil
}

// sizeOf returns about how many bytes a batch takes, encoded.
func sizeOf(b *provider.Batch) int64 {
	size := 0
	for i := range b.Events {
		size += event.EncodedSize(&b.Events[i])
	}
	for i := range b.Undecodable {
		size += len(b.Undecodable[i].Raw)
	}
	return int64(size)
}

// The least that makes the events of a request alike: their number, and how many times as large as the request they are.
const (
	minAlike    = 16
	alikeGrowth = 4
)

// grew says whether the events repeat much of what the request said once.
func (b *batchBuilder) grew() bool {
	if len(b.batch.Entries) < minAlike {
		return false
	}
	size := 0
	for i := range b.batch.Entries {
		size += len(b.batch.Entries[i].Payload)
	}
	return size > alikeGrowth*len(b.request.Body)
}
