package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
)

// Settle ends leases. It does not wait for stable storage: after a crash a settlement may be forgotten, with everything
// that it did. Settlements of what is not leased are ignored. When the storage is unavailable the error says so, and the
// deliveries are made again.
func (q *queue) Settle(_ context.Context, settlements []journal.Settlement) error {
	for i := range settlements {
		if o := settlements[i].Outcome; o < journal.Delivered || o > journal.Dead {
			return fmt.Errorf("settlement of %d has unknown outcome %d", settlements[i].Delivery.Sequence, o)
		}
	}
	db, release, err := q.j.acquire()
	if err != nil {
		return err // leases end with the store that they were made on
	}
	defer release()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.j.settling.Lock()
	defer q.j.settling.Unlock()
	s := settling{q: q, db: db, batch: db.NewBatch(), dueFrom: q.dueFrom}
	for i := range settlements {
		if err = s.settle(&settlements[i]); err != nil {
			break
		}
	}
	if err == nil {
		err = s.remove()
	}
	if err == nil {
		err = s.commit()
	}
	if err != nil {
		q.j.fail(fmt.Errorf("settle: %w", err))
		return errors.Join(q.j.unavailable(), s.batch.Close())
	}
	s.apply()
	return s.batch.Close()
}

// settling is one Settle under way. The locks of the queue and of all settlements are held.
type settling struct {
	q     *queue
	db    *pebble.DB
	batch *pebble.Batch

	ended       []uint64
	finished    []finished
	done        int64
	deadLetters int64
	dueFrom     []byte
	deleted     deletions
}

func (s *settling) settle(t *journal.Settlement) error {
	sequence := t.Delivery.Sequence
	l, ok := s.q.leased[sequence]
	if !ok {
		return nil
	}
	s.ended = append(s.ended, sequence)
	delete(s.q.leased, sequence) // a second settlement of it in this call is ignored too
	if l.scheduled {
		if err := s.batch.Delete(scheduleKey(s.q.id, l.when, sequence), nil); err != nil {
			return err
		}
	}
	switch t.Outcome {
	case journal.Delivered:
		s.finish(sequence, l)
		return nil
	case journal.Retry:
		l.attempts++
		return s.schedule(sequence, l, toMillis(t.At))
	case journal.Dead:
		s.finish(sequence, l)
		return s.bury(sequence, l, t.DeadLetter)
	default: // Defer
		return s.schedule(sequence, l, toMillis(t.At))
	}
}

// finish ends the debt to this sink.
func (s *settling) finish(sequence uint64, l lease) {
	s.done++
	s.finished = append(s.finished, finished{sequence, l})
}

func (s *settling) schedule(sequence uint64, l lease, due uint64) error {
	at := schedule{when: when{epoch: s.q.j.epoch, due: due}, attempts: l.attempts}
	key, value := scheduleKey(s.q.id, at.when, sequence), encodeSchedule(at)
	if string(key) < string(s.dueFrom) {
		s.dueFrom = key
	}
	return errors.Join(
		s.batch.Set(owedKey(s.q.id, sequence), value, nil),
		s.batch.Set(key, value, nil),
	)
}

// bury stores the event as a dead letter. A refusal was an attempt, the other causes are found without one.
func (s *settling) bury(sequence uint64, l lease, d journal.DeadLetter) error {
	value, closer, err := s.db.Get(eventKey(sequence))
	if err != nil {
		return err
	}
	defer closer.Close() //nolint:errcheck // it only gives the block back
	e, err := decodeEvent(value)
	if err != nil {
		return err
	}
	d.Sink, d.Attempts = s.q.name, l.attempts
	if d.Cause == journal.CauseRefused {
		d.Attempts++
	}
	record, err := encodeDeadLetter(&d)
	if err != nil {
		return err
	}
	s.deadLetters++
	id := s.q.j.nextDeadLetter.Add(1) - 1
	return setDeadLetter(s.batch, id, record, e.payload)
}

func (s *settling) commit() error {
	if s.deadLetters > 0 {
		next := encodeNumbers(s.q.j.nextDeadLetter.Load())
		if err := s.batch.Set([]byte(metaNextDead), next, nil); err != nil {
			return err
		}
	}
	s.q.j.space.add(int64(s.batch.Len()))
	return s.batch.Commit(pebble.NoSync)
}

// apply brings the memory up to what was committed.
func (s *settling) apply() {
	j := s.q.j
	if len(s.ended) > 0 {
		j.unsynced.Store(true)
	}
	s.q.pending.Add(-s.done)
	s.q.dueFrom = s.dueFrom
	j.deadLetters.Add(s.deadLetters)
	j.deleted.merge(&s.deleted)
	s.q.wake()
}
