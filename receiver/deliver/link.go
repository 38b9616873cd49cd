package deliver

import (
	"context"

	"github.com/mailvane/mailvane/receiver/sink"
)

// link is one job on the way of a batch to its sink. All but the last, which is the sink itself, hand the batch on to the next.
type link interface {
	Send(ctx context.Context, batch sink.Batch) error
}

// newChain returns the way to the sink: what is sent is made once, the pace is kept before the time of the attempt begins to run, and what is counted is what the
// sink said.
func newChain(o *Options, p *policy) link {
	var chain link = &observeLink{metrics: o.Metrics, next: o.Sink}
	if o.Tracer != nil {
		chain = &traceLink{tracer: o.Tracer, name: o.Name, kind: o.Kind, next: chain}
	}
	chain = &timeoutLink{timeout: p.timeout, next: chain}
	if p.rate > 0 {
		chain = newRateLink(p.rate, p.batchEvents, chain)
	}
	if o.Content != nil {
		chain = &contentLink{content: o.Content, next: chain}
	}
	return chain
}
