package embedded

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// restAllowance is how far the clock may have moved on while the journal was closed for what it says to be believed at once.
const restAllowance = 24 * time.Hour

// ageClock tells by which time something is old enough to be removed for good. The clock of the machine may jump: one that is two weeks
// ahead for a minute is no reason to forget two weeks. So this one follows it at twice the speed of time at most. Where it lags behind,
// things are kept for longer.
type ageClock struct {
	mu      sync.Mutex
	present time.Time
	// asked is the uptime at which it was asked last.
	asked time.Duration
}

// begin starts the clock. last is what it said when it was asked last, before a restart; the zero time = it is not known.
func (c *ageClock) begin(wall, last time.Time, uptime time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.present.IsZero() {
		return
	}
	c.present, c.asked = wall, uptime
	if limit := last.Add(restAllowance); !last.IsZero() && wall.After(limit) {
		c.present = limit
	}
}

func (c *ageClock) now(wall time.Time, uptime time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := c.present.Add(2 * (uptime - c.asked))
	c.asked = uptime
	c.present = wall
	if wall.After(limit) {
		c.present = limit
	}
	return c.present
}

// loadAge starts the clock with what is stored.
func (j *Journal) loadAge(db *pebble.DB) error {
	stored, err := getNumbers(db, metaAge, 1)
	if err != nil {
		return err
	}
	var last time.Time
	if stored[0] > 0 {
		last = fromMillis(stored[0])
	}
	j.age.begin(j.opts.Now(), last, j.opts.Uptime())
	return nil
}

// oldAge returns the present for what is to be removed because of its age, and stores it.
func (j *Journal) oldAge() (time.Time, error) {
	db, release, err := j.acquire()
	if err != nil {
		return time.Time{}, err
	}
	defer release()
	now := j.age.now(j.opts.Now(), j.opts.Uptime())
	return now, db.Set([]byte(metaAge), encodeNumbers(toMillis(now)), pebble.NoSync)
}
