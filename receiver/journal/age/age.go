// Package age tells by which time what is stored has become too old.
package age

import (
	"sync"
	"time"
)

// RestAllowance is how far the clock of the machine may have moved on while nobody asked for what it says to be believed at once.
const RestAllowance = 24 * time.Hour

// Clock tells by which time something is old enough to be removed, or given up, for good. The clock of the machine may jump: one that
// is two weeks ahead for a minute is no reason to forget two weeks. So this one follows it at twice the speed of time at most. Where it
// lags behind, things are kept for longer. Before it has begun nothing is old. It is safe for concurrent use.
type Clock struct {
	mu      sync.Mutex
	present time.Time
	// asked is the uptime at which it was asked last.
	asked time.Duration
}

// Begin starts the clock; once it runs, nothing happens. wall is what the clock of the machine says. last is what this clock said when it
// was asked last, before a restart; the zero time = it is not known. uptime is how long the process has run, by a clock that does not jump.
func (c *Clock) Begin(wall, last time.Time, uptime time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.present.IsZero() {
		return
	}
	c.present, c.asked = wall, uptime
	if limit := last.Add(RestAllowance); !last.IsZero() && wall.After(limit) {
		c.present = limit
	}
}

// Now returns the present; the zero time before Begin.
func (c *Clock) Now(wall time.Time, uptime time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.present.IsZero() {
		return c.present
	}
	limit := c.present.Add(2 * (uptime - c.asked))
	c.asked = uptime
	c.present = wall
	if wall.After(limit) {
		c.present = limit
	}
	return c.present
}
