package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/publish"
)

const (
	// maxUnburied bounds what is dead and cannot be buried, per sink. Beyond it the sink is given nothing more: it is to refuse nothing of
	// which there is no record.
	maxUnburied = 1000
	// burialSize bounds what is buried at once of what waits for it.
	burialSize = 32
	// firstBuryPause and lastBuryPause bound the wait between two attempts to bury what found no room; it doubles.
	firstBuryPause, lastBuryPause = time.Second, 15 * time.Second
)

// crowded reports whether dead letters have filled their stream.
type crowded struct {
	full bool
	// counted says that the servers have been asked since it was full, and messages what they said.
	counted  bool
	messages uint64
}

// count takes over how many dead letters there are. When there are fewer than while it was full, there is room.
func (c *crowded) count(messages uint64) {
	switch {
	case c.full && c.counted && messages < c.messages:
		c.full = false
	case !c.counted:
		c.counted, c.messages = true, messages
	}
}

// awaitLetters waits until dead letters are stored, and remembers whether there was room.
func (j *Journal) awaitLetters(ctx context.Context, r *publish.Request) error {
	if r == nil {
		return nil
	}
	err := r.Wait(ctx)
	full := err != nil && errors.Is(publish.JournalError(err), journal.ErrFull)
	j.mu.Lock()
	defer j.mu.Unlock()
	if full && !j.crowded.full {
		j.options.Logger.Error("dead letters cannot be stored", "stream", j.streams.DeadLetters().Name, "problem", journal.NoRoomForDeadLetters)
	}
	switch {
	case full:
		j.crowded = crowded{full: true}
		return fmt.Errorf("%w: %w", journal.ErrDeadLetters, err)
	case err == nil:
		j.crowded.full = false
	}
	return err
}

// bury makes dead letters of the deliveries that are dead. It returns whether all of them are stored.
func (q *queue) bury(ctx context.Context, settlements []journal.Settlement) bool {
	var letters []journal.DeadLetter
	for i := range settlements {
		s := &settlements[i]
		if s.Outcome != journal.Dead || !q.holds(&s.Deliveries[0]) {
			continue
		}
		letters = append(letters, q.letter(s.DeadLetter, &s.Deliveries[0]))
	}
	return len(letters) == 0 || q.journal.publishLetters(ctx, letters) == nil
}

// letter returns the dead letter of a delivery.
func (q *queue) letter(d *journal.DeadLetter, of *journal.Delivery) journal.DeadLetter {
	letter := *d
	letter.Sink, letter.Attempts, letter.Payload = q.sink, of.Attempts, of.Payload
	if letter.Cause == journal.CauseRefused { // the other causes are found without an attempt
		letter.Attempts++
	}
	// The event may die twice, when this process ends before the servers know that it is settled.
	letter.DedupeKey = "dead\x00" + q.sink + "\x00" + strconv.FormatUint(of.Sequence, 10) + "\x00" + letter.EventID + "\x00" + of.AcceptedAt.String()
	return letter
}

// publishLetters stores dead letters, all or an error is returned.
func (j *Journal) publishLetters(ctx context.Context, letters []journal.DeadLetter) error {
	ctx, cancel := context.WithTimeoutCause(ctx, publish.Timeout, publish.ErrTooSlow)
	defer cancel()
	room, err := j.room()
	if err != nil {
		return err
	}
	items, err := j.letterItems(letters, room)
	if err != nil {
		return err
	}
	r, err := j.dead.Add(ctx, items)
	if err != nil {
		return err
	}
	return j.awaitLetters(ctx, r)
}

func (q *queue) holds(d *journal.Delivery) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.leased(d) != nil
}

// keepUnburied keeps what is dead and not buried, until it is: the sink has said what it had to say, and is not asked again. What is not buried
// when this process ends comes again. The lock is held.
func (q *queue) keepUnburied(h *held, d *journal.DeadLetter) {
	letter := *d
	letter.Payload = nil
	h.state, h.payload, h.letter = unburied, nil, &letter
	q.unburied = append(q.unburied, h)
	if q.buryPause == 0 {
		q.retryBurial(time.Now())
	}
}

// retryBurial sets when burials are tried again. The lock is held.
func (q *queue) retryBurial(now time.Time) {
	q.buryPause = min(max(2*q.buryPause, firstBuryPause), lastBuryPause)
	q.buryAt = now.Add(q.buryPause)
}

// buryUnburied buries what could not be buried before, of all sinks.
func (j *Journal) buryUnburied() {
	for _, q := range j.allQueues() {
		for q.buryNext(j.ctx) {
		}
	}
}

// buryNext buries some of what waits for it, and returns whether there may be more.
func (q *queue) buryNext(ctx context.Context) bool {
	next, stream := q.nextUnburied(time.Now())
	if len(next) == 0 {
		return false
	}
	err := q.buryHeld(ctx, stream, next)
	for len(next) > 1 && errors.Is(err, journal.ErrDeadLetters) { // there may be room for some
		next = next[:len(next)/2]
		err = q.buryHeld(ctx, stream, next)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.retryBurial(time.Now())
		return false
	}
	for _, h := range next {
		if q.isUnburied(h) {
			q.acknowledge(h)
		}
	}
	q.buryPause = 0
	q.signal()
	return true
}

// nextUnburied returns what is to be buried now, and where its payloads are. What is held no more it forgets.
func (q *queue) nextUnburied(now time.Time) (next []*held, stream jetstream.Stream) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.epoch == nil || now.Before(q.buryAt) {
		return nil, nil
	}
	q.unburied = slices.DeleteFunc(q.unburied, func(h *held) bool { return !q.isUnburied(h) })
	for _, h := range q.unburied {
		if len(next) < burialSize && h.epoch == q.epoch {
			next = append(next, h)
		}
	}
	return next, q.epoch.stream
}

// isUnburied reports whether h is still held, and still is to be buried. The lock is held.
func (q *queue) isUnburied(h *held) bool { return q.held[h.sequence] == h && h.state == unburied }

// buryHeld stores the dead letters of what is unburied. The payloads are read again.
func (q *queue) buryHeld(ctx context.Context, stream jetstream.Stream, list []*held) error {
	letters := make([]journal.DeadLetter, 0, len(list))
	for _, h := range list {
		payload, err := readAgain(ctx, stream, h)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // somebody has removed it by hand
		}
		if err != nil {
			return err
		}
		letters = append(letters, q.letter(h.letter, &journal.Delivery{Sequence: h.sequence, AcceptedAt: h.accepted, Attempts: h.attempts, Payload: payload}))
	}
	if len(letters) == 0 {
		return nil
	}
	return q.journal.publishLetters(ctx, letters)
}
