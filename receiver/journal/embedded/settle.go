package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/space"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// Settle ends leases. It does not wait for stable storage: after a crash a settlement may be forgotten, with everything
// that it did. Settlements of what is not leased are ignored. When the storage is unavailable the error says so, and the
// deliveries are made again.
func (q *queue) Settle(_ context.Context, settlements []journal.Settlement) error {
	if err := journal.CheckSettlements(settlements); err != nil {
		return err
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
	if q.j.cause.Load() != nil { // one that failed while this one waited has left the memory ahead of the store
		return q.j.unavailable()
	}
	s := settling{q: q, db: db, batch: db.NewBatch(), dueFrom: q.dueFrom}
	for i := range settlements {
		if err = s.settleAll(&settlements[i]); err != nil {
			break
		}
	}
	if err == nil {
		err = errors.Join(s.close(), s.remove())
	}
	if err == nil {
		err = s.commit()
	}
	if err != nil {
		q.j.failOrRecheck(fmt.Errorf("settle: %w", err))
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

	// last is the bundle of the delivery that was settled last, most often that of the next one.
	last     *openBundle
	touched  []*openBundle
	finished []*openBundle
	// freed are the payloads of leases that ended; they are given back when the settlement cannot fail any more.
	freed       [][]byte
	done        int64
	deadLetters int64
	letterBytes int64
	// scheduled is by how many tableSchedule holds more, of the present epoch.
	scheduled int
	dueFrom   []byte
	deleted   space.Deletions
}

func (s *settling) settleAll(t *journal.Settlement) error {
	for i := range t.Deliveries {
		if err := s.settle(t.Deliveries[i].Sequence, t.Deliveries[i].Lease, t); err != nil {
			return err
		}
	}
	return nil
}

func (s *settling) settle(sequence, lease uint64, t *journal.Settlement) error {
	o, event := s.find(format.BundleOf(sequence)), format.SetOf(format.PositionOf(sequence))
	if o == nil {
		return nil
	}
	freed, leased := o.end(lease, event)
	if !leased {
		return nil
	}
	if freed != nil {
		s.freed = append(s.freed, freed)
	}
	if !o.touched {
		o.touched = true
		s.touched = append(s.touched, o)
	}
	before, scheduled := o.ScheduleOf(format.PositionOf(sequence))
	if scheduled {
		o.Unschedule(before.Position)
		if before.Epoch == s.q.j.epoch {
			s.scheduled--
		}
		if err := s.batch.Delete(format.ScheduleKey(s.q.id, before.When, sequence), nil); err != nil {
			return err
		}
	}
	switch t.Outcome {
	case journal.Delivered:
		s.finish(o, event)
		return nil
	case journal.Retry:
		return s.schedule(o, sequence, format.ToMillis(t.At), before.Attempts+1)
	case journal.Dead:
		s.finish(o, event)
		return s.bury(sequence, before.Attempts, *t.DeadLetter)
	default: // Defer
		return s.schedule(o, sequence, format.ToMillis(t.At), before.Attempts)
	}
}

// find returns a bundle of which something is leased, or nil.
func (s *settling) find(number uint64) *openBundle {
	if s.last == nil || s.last.number != number {
		s.last = s.q.open[number]
	}
	return s.last
}

// finish ends the debt to this sink.
func (s *settling) finish(o *openBundle, event format.EventSet) {
	o.Events &^= event
	s.done++
}

func (s *settling) schedule(o *openBundle, sequence, due uint64, attempts int) error {
	at := format.Schedule{Position: format.PositionOf(sequence), When: format.When{Epoch: s.q.j.epoch, Due: due}, Attempts: attempts}
	o.Schedules = append(o.Schedules, at)
	s.scheduled++
	key := format.ScheduleKey(s.q.id, at.When, sequence)
	if string(key) < string(s.dueFrom) {
		s.dueFrom = key
	}
	return s.batch.Set(key, nil, nil)
}

// bury stores the event as a dead letter. A refusal was an attempt, the other causes are found without one.
func (s *settling) bury(sequence uint64, attempts int, d journal.DeadLetter) error {
	e, err := store.ReadEvent(s.db, sequence)
	if err != nil {
		return err
	}
	d.Sink, d.Attempts, d.Payload = s.q.name, attempts, e.Payload
	if d.Cause == journal.CauseRefused {
		d.Attempts++
	}
	record, err := format.EncodeDeadLetter(&d)
	if err != nil {
		return err
	}
	s.deadLetters++
	s.letterBytes += int64(len(record) + len(e.Payload))
	id := s.q.j.nextDeadLetter.Add(1) - 1
	return setDeadLetter(s.batch, id, record, e.Payload)
}

// close writes what is still owed of the bundles that were touched, and closes those of which nothing is leased any more.
func (s *settling) close() error {
	for _, o := range s.touched {
		o.touched = false
		if len(o.leases) == 0 {
			delete(s.q.open, o.number)
		}
		var err error
		if o.Events == 0 {
			s.finished = append(s.finished, o)
			err = s.batch.Delete(format.OwedKey(s.q.id, o.number), nil)
		} else {
			err = s.batch.Set(format.OwedKey(s.q.id, o.number), o.Encode(), nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *settling) commit() error {
	if s.deadLetters > 0 {
		next := format.EncodeNumbers(s.q.j.nextDeadLetter.Load())
		if err := s.batch.Set([]byte(format.MetaNextDead), next, nil); err != nil {
			return err
		}
	}
	s.q.j.space.Add(int64(s.batch.Len()))
	return s.batch.Commit(pebble.NoSync)
}

// apply brings the memory up to what was committed.
func (s *settling) apply() {
	j := s.q.j
	if len(s.touched) > 0 {
		j.unsynced.Store(true)
	}
	s.q.pending.Add(-s.done)
	s.q.dueFrom = s.dueFrom
	s.q.scheduled += s.scheduled
	j.deadLetters.Add(s.deadLetters)
	j.letterBytes.Add(s.letterBytes)
	j.deleted.Merge(&s.deleted)
	for _, p := range s.freed {
		j.payloads.release(p)
	}
	s.q.wake()
}
