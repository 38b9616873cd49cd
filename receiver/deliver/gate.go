package deliver

import (
	"context"
	"sync"
	"time"
)

// gate holds back sends to a sink that is down: after a failure one send at a time probes it, at growing intervals,
// until one succeeds. A sink that is healthy passes without a wait.
type gate struct {
	policy *policy

	mu       sync.Mutex
	failures int
	// proven says that the last send that ended had succeeded; unlike no failure, it is false before the first.
	proven  bool
	until   time.Time
	probing bool
	changed chan struct{} // closed and replaced when a waiter should look again
}

func newGate(p *policy) *gate { return &gate{policy: p, changed: make(chan struct{})} }

// enter waits until a send may start. None may when ctx has ended.
func (g *gate) enter(ctx context.Context) error {
	for ctx.Err() == nil {
		wait, changed := g.try()
		if changed == nil {
			return nil
		}
		if err := waitFor(ctx, wait, changed); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// try passes (nil channel), or returns how long to wait and what ends the wait earlier.
func (g *gate) try() (time.Duration, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.failures == 0:
		return 0, nil
	case g.probing:
		return maxProbeInterval, g.changed
	}
	if wait := time.Until(g.until); wait > 0 {
		return wait, g.changed
	}
	g.probing = true
	return 0, nil
}

// leave ends a pass that sent nothing.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.probing = false
	g.wake()
}

// succeeded opens the gate, and returns whether it was closed.
func (g *gate) succeeded() (recovered bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	recovered = g.failures > 0
	g.proven = true
	if recovered || g.probing {
		g.failures, g.probing = 0, false
		g.wake()
	}
	return recovered
}

// isOpen says whether the last send that ended had succeeded.
func (g *gate) isOpen() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failures == 0
}

// isProven says whether the last send had succeeded; false when there was none.
func (g *gate) isProven() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.proven
}

// failed closes the gate for at least after. It returns when the failed events should be tried again, and whether the
// sink had been healthy before: then the events' own attempt counts; otherwise the outage is to blame.
func (g *gate) failed(after time.Duration) (retryAt time.Time, healthy bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	healthy = g.failures == 0
	g.proven = false
	now := time.Now()
	g.probing = false
	if !now.Before(g.until) || healthy {
		g.failures++
	}
	interval := max(g.policy.backoff(g.failures, min(g.policy.maxBackoff, maxProbeInterval)), min(after, g.policy.maxBackoff))
	if until := now.Add(interval); until.After(g.until) {
		g.until = until
	}
	g.wake()
	// One probe later than the next, so that the next takes other events: one that the sink cannot stomach must not be
	// the only one it is ever offered.
	return g.until.Add(interval), healthy
}

func (g *gate) wake() {
	close(g.changed)
	g.changed = make(chan struct{})
}

func waitFor(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	case <-wake:
	}
	return nil
}
