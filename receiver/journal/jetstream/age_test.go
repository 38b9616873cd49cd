package jetstream_test

import (
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream"
	"github.com/mailvane/mailvane/test/nats"
)

const (
	day      = 24 * time.Hour
	lifetime = 14 * day
)

// clocks are those of a receiver's machine.
type clocks struct {
	mu     sync.Mutex
	ahead  time.Duration // of the wall clock
	passed time.Duration // by the one that does not jump
}

func (c *clocks) move(ahead, passed time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead, c.passed = c.ahead+ahead, c.passed+passed
}

func (c *clocks) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clocks) uptime() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passed
}

// TestAClockThatJumpsMakesNothingOld has the clock of a receiver's machine jump ahead by a month, before it starts and later.
func TestAClockThatJumpsMakesNothingOld(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	for name, before := range map[string]time.Duration{"right at the start": 0, "ahead at the start": 30 * day} {
		machine := &clocks{ahead: before}
		began := time.Now()
		j := open(t, jetstream.WithClocks(options(c), machine.now, machine.uptime))
		machine.move(30*day-before, time.Minute)
		if age := j.Present().Sub(began); age < -time.Minute || age > time.Hour {
			t.Errorf("%s: the present is %v on", name, age)
		}
		mustDo(t, j.Close())
	}
}

// TestNothingIsOldBeforeTheServersWereReached asks a journal that has no servers.
func TestNothingIsOldBeforeTheServersWereReached(t *testing.T) {
	t.Parallel()
	j, err := jetstream.Open(jetstream.Options{URLs: []string{"nats://127.0.0.1:1"}, Name: "test"})
	mustDo(t, err)
	if present := j.Present(); !present.IsZero() {
		t.Errorf("the present is %v", present)
	}
	mustDo(t, j.Close())
}

// TestOldDeadLettersAreRemovedByTheReceivers has dead letters of several ages. The servers, whose clocks may jump, remove none.
func TestOldDeadLettersAreRemovedByTheReceivers(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	admin, end := dial(t, c.URLs()[0])
	defer end()
	j := open(t, options(c))
	stream, err := admin.Stream(t.Context(), "test-dead")
	mustDo(t, err)
	if age := stream.CachedInfo().Config.MaxAge; age != 0 {
		t.Errorf("the servers remove dead letters after %v", age)
	}
	var b journal.Batch
	for _, age := range []time.Duration{lifetime + day, day, -2 * day} {
		b.DeadLetters = append(b.DeadLetters, journal.DeadLetter{Cause: journal.CauseUndecodable, Reason: age.String(), At: time.Now().Add(-age)})
	}
	_, err = j.Append(t.Context(), b)
	mustDo(t, err)
	for _, step := range []struct {
		reason string
		before time.Duration // of now
		left   int
	}{
		{"the first is old by its own time, and the servers have just stored it", lifetime, 3},
		{"two are old by both", -day, 1},
	} {
		mustDo(t, j.PruneUntil(t.Context(), time.Now().Add(-step.before)))
		left, err := j.DeadLetters().List(t.Context(), 0, 10)
		mustDo(t, err)
		if len(left) != step.left || left[len(left)-1].Reason != (-2*day).String() {
			t.Errorf("%s: %+v", step.reason, left)
		}
	}
}

// TestTheMaxAgeOfAnEarlierReleaseIsTakenOff opens streams as an earlier release has made them.
func TestTheMaxAgeOfAnEarlierReleaseIsTakenOff(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	admin, end := dial(t, c.URLs()[0])
	defer end()
	mustDo(t, open(t, options(c)).Close())
	maxAge := func() time.Duration {
		stream, err := admin.Stream(t.Context(), "test-dead")
		mustDo(t, err)
		return stream.CachedInfo().Config.MaxAge
	}
	stream, err := admin.Stream(t.Context(), "test-dead")
	mustDo(t, err)
	config := stream.CachedInfo().Config
	config.MaxAge = lifetime
	_, err = admin.UpdateStream(t.Context(), config)
	mustDo(t, err)
	works(t, open(t, options(c)), "1")
	eventually(t, "the max age is taken off", func() bool { return maxAge() == 0 })
}
