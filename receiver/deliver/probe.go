package deliver

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

const (
	// probeInterval is after how long without a send a destination is asked whether it is still there, and reprobeInterval after how
	// long again when it was not.
	probeInterval   = 5 * time.Minute
	reprobeInterval = 30 * time.Second
	// probeTimeout bounds one probe.
	probeTimeout = 10 * time.Second
	// probeSpread is the time over which the sinks of a receiver begin, so that they do not all connect at once.
	probeSpread = time.Second
)

// prober finds out about the connection of a sink that has nothing to send.
type prober struct {
	sink       sink.Prober
	gate       *gate
	connection *connection
}

// run probes until ctx ends. The sends of a sink that is down say more than a probe does, so there are none meanwhile.
func (p *prober) run(ctx context.Context) {
	wait := rand.N(probeSpread) //nolint:gosec // a spread needs no secrecy
	for waitFor(ctx, wait, nil) == nil {
		if wait = p.wait(); wait <= 0 {
			p.probe(ctx)
			wait = p.wait()
		}
	}
}

// wait returns how long to wait before a probe.
func (p *prober) wait() time.Duration {
	silent, failing := p.connection.silent()
	switch {
	case !p.gate.isOpen():
		return reprobeInterval
	case failing:
		return reprobeInterval - silent
	default:
		return probeInterval - silent
	}
}

func (p *prober) probe(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := p.sink.Probe(limited)
	switch {
	case ctx.Err() != nil || !p.gate.isOpen():
	case err == nil:
		p.connection.succeeded()
	default:
		p.connection.failed(sink.CauseOf(err), journal.Reason(err.Error()))
	}
}
