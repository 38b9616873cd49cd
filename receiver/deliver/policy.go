package deliver

import (
	"math/rand/v2"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
)

const (
	// maxProbeInterval bounds the wait between two attempts to reach a sink that is down, so that it gets its events soon
	// after it is back, however long it was gone.
	maxProbeInterval = 15 * time.Second
	// maxExcused bounds the failures in a row, of events that have failed alone before, that do not tell of a sink that is down.
	maxExcused = 16
	// maxParked bounds the events that wait in memory for an earlier event of their key, and maxParkedBytes their payloads.
	maxParked      = 4096
	maxParkedBytes = 16 << 20
	// minFetch is how many events are leased at once at least, and fetchBatches how many batches: each look at the journal costs.
	minFetch     = 64
	fetchBatches = 4
	// settleTimeout bounds one call of Settle, and stopTimeout the wait for sends that do not end when their context does.
	settleTimeout = 10 * time.Second
	stopTimeout   = 5 * time.Second
)

// policy is a sink's delivery policy in Go's own units.
type policy struct {
	maxInFlight    int
	batchEvents    int
	batchBytes     int
	linger         time.Duration
	timeout        time.Duration
	initialBackoff time.Duration
	maxBackoff     time.Duration
	maxAge         time.Duration
	byKey          bool
	rate           int
	deadLetterSink string // namespace/name, or empty
}

func newPolicy(d *config.Delivery, deadLetterSink string) policy {
	return policy{
		maxInFlight:    max(d.MaxInFlight, 1),
		batchEvents:    max(d.BatchMaxEvents, 1),
		batchBytes:     d.BatchMaxBytes,
		linger:         time.Duration(d.LingerMilliseconds) * time.Millisecond,
		timeout:        time.Duration(d.TimeoutSeconds) * time.Second,
		initialBackoff: time.Duration(d.InitialBackoffMilliseconds) * time.Millisecond,
		maxBackoff:     time.Duration(d.MaxBackoffSeconds) * time.Second,
		maxAge:         time.Duration(d.MaxAgeSeconds) * time.Second,
		byKey:          d.Ordering == config.ByKey,
		rate:           d.EventsPerSecond,
		deadLetterSink: deadLetterSink,
	}
}

// backoff returns the wait before attempt number failures+1: exponential, capped, with jitter of half its length, so that
// many receivers do not come back in step.
func (p *policy) backoff(failures int, ceiling time.Duration) time.Duration {
	wait := p.initialBackoff
	for i := 1; i < failures && wait < ceiling; i++ {
		wait *= 2
	}
	wait = max(min(wait, ceiling), time.Millisecond)
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // jitter needs no secrecy
}
