package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/streams"
)

const (
	// pruneInterval is how often what is older is removed.
	pruneInterval = time.Minute
)

// serverTime is what a server said the time was, and the uptime at which it did.
type serverTime struct {
	said  time.Time
	heard time.Duration
}

// uptime is how long the journal has been there, by a clock that does not jump.
func (j *Journal) uptime() time.Duration { return j.options.uptime() }

// noteTime takes over what a server says the time is. The lock is held.
func (j *Journal) noteTime(said time.Time) {
	j.servers = serverTime{said, j.uptime()}
	j.age.Begin(j.servers.orEarlier(j.options.now(), j.uptime()), time.Time{}, j.uptime())
}

// orEarlier returns the earlier of what the clock of the machine says and what the servers' does.
func (s serverTime) orEarlier(wall time.Time, uptime time.Duration) time.Time {
	if servers := s.said.Add(uptime - s.heard); servers.Before(wall) {
		return servers
	}
	return wall
}

// Present implements [journal.Journal]. Something is old when both the clock of the machine and that of the servers say so, and neither
// has only just jumped. Before the servers were reached nothing is old.
func (j *Journal) Present() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.age.Now(j.servers.orEarlier(j.options.now(), j.uptime()), j.uptime())
}

// liftMaxAge takes the max age off a stream of dead letters that an earlier release has made, once, if that is permitted.
func (j *Journal) liftMaxAge() {
	if j.lifted {
		return
	}
	j.lifted = true
	ctx, cancel := context.WithTimeout(j.ctx, 2*requestTimeout)
	defer cancel()
	stream, err := deadLetters{j}.stream(ctx)
	if err != nil {
		return // the next receiver that starts does it
	}
	config := stream.CachedInfo().Config
	if !streams.IsOurs(&config) || config.MaxAge == 0 {
		return
	}
	config.MaxAge = 0
	if _, err := j.current().js.UpdateStream(ctx, config); err != nil {
		j.options.Logger.Warn("dead letters go by the clocks of the servers: their max age cannot be taken off the stream", "stream", config.Name, "error", err)
	}
}

// prune removes the dead letters that are too old, from the first on, from time to time. The servers are not asked to do that: their
// clocks may jump. All receivers that share the journal do it.
func (j *Journal) prune() {
	now := j.uptime()
	if now < j.pruneAt {
		return
	}
	j.pruneAt = now + pruneInterval
	ctx, cancel := context.WithTimeout(j.ctx, pruneInterval)
	defer cancel()
	err := j.pruneUntil(ctx, j.Present().Add(-streams.DeadLetterAge))
	if err != nil && ctx.Err() == nil {
		j.options.Logger.Warn("dead letters that are too old could not be removed", "error", err)
	}
}

// pruneUntil removes the first dead letters, up to one that was made, or stored, after a time.
func (j *Journal) pruneUntil(ctx context.Context, before time.Time) error {
	stream, err := deadLetters{j}.stream(ctx)
	if err != nil {
		return err
	}
	for {
		first, err := stream.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(j.subjects.DeadLetters()))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return unavailable(err)
		}
		letter, err := message.ReadLetter(first.Sequence, first.Header, nil)
		if err != nil {
			return err
		}
		if !letter.At.Before(before) || !first.Time.Before(before) {
			return nil
		}
		err = stream.DeleteMsg(ctx, first.Sequence)
		if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) { // else another has
			return fmt.Errorf("%w: drop dead letter %d: %w", journal.ErrUnavailable, first.Sequence, err)
		}
	}
}
