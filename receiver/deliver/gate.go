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
	// excused counts the failures since the last success that did not close the gate.
	excused int
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
	g.proven, g.excused = true, 0
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

// excuse says whether the failure of an event that has failed alone before may leave the gate as it is: it is open, and not too many
// of them have failed in a row.
func (g *gate) excuse() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failures > 0 || g.excused == maxExcused {
		return false
	}
	g.excused++
	return true
}

// isProven says whether the last send had succeeded; false when there was none.
func (g *gate) isProven() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.proven
}

// failed closes the gate, for after if that is longer than its own wait, up to the policy's maximum. It returns when the sink is
// tried again, and whether it had been healthy before.
func (g *gate) failed(after time.Duration) (until time.Time, healthy bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	healthy = g.failures == 0
	g.proven, g.excused = false, 0
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
	return g.until, healthy
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
