package age

import (
	"testing"
	"time"
)

// TestAgeAfterARest starts the clock with what it said before, at a clock that is right, ahead and behind.
func TestAgeAfterARest(t *testing.T) {
	t.Parallel()
	last := time.UnixMilli(1_700_000_000_000)
	for ahead, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, 15 * 24 * time.Hour: RestAllowance, -time.Hour: -time.Hour} {
		var c Clock
		if !c.Now(last, time.Hour).IsZero() {
			t.Error("something is old before the clock has begun")
		}
		c.Begin(last.Add(ahead), last, 0)
		c.Begin(last.Add(1000*time.Hour), last, 0) // which changes nothing
		if got := c.Now(last.Add(ahead), 0).Sub(last); got != want {
			t.Errorf("%v after it was asked last the present is %v on, want %v", ahead, got, want)
		}
	}
}

// TestItFollowsAJumpSlowly has the clock of the machine jump ahead and back.
func TestItFollowsAJumpSlowly(t *testing.T) {
	t.Parallel()
	begin := time.UnixMilli(1_700_000_000_000)
	var c Clock
	c.Begin(begin, time.Time{}, 0)
	steps := []struct{ wall, uptime, want time.Duration }{
		{time.Minute, time.Minute, time.Minute},
		{1000 * time.Hour, 2 * time.Minute, 3 * time.Minute},           // ahead
		{1000 * time.Hour, time.Hour, 3*time.Minute + 116*time.Minute}, // and still
		{2 * time.Hour, 2 * time.Hour, 2 * time.Hour},                  // right again
		{-time.Hour, 3 * time.Hour, -time.Hour},                        // behind
		{4 * time.Hour, 4 * time.Hour, time.Hour},                      // right again: it catches up
	}
	for _, s := range steps {
		if got := c.Now(begin.Add(s.wall), s.uptime).Sub(begin); got != s.want {
			t.Errorf("at %v, after %v: %v, want %v", s.wall, s.uptime, got, s.want)
		}
	}
}
