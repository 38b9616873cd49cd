package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
)

// Append implements [history.Writer]. What is no event is left out.
func (s *Store) Append(ctx context.Context, b history.Batch) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.revive()
	err := s.append(ctx, &b)
	s.note(err)
	return err
}

// note keeps the problem that people are told.
func (s *Store) note(err error) {
	if err == nil {
		s.problem.Store(nil)
		return
	}
	text := err.Error()
	s.problem.Store(&text)
}

func (s *Store) append(ctx context.Context, b *history.Batch) error {
	db, release, err := s.acquire()
	if err != nil {
		return err
	}
	defer release()
	if err := s.makeRoom(ctx, db); err != nil {
		return err
	}
	next, ceiling, events := s.next, s.ceiling, s.events.Load()
	batch := db.NewBatch()
	defer func() { _ = batch.Close() }() // it is committed, or nothing of it is wanted
	err = errors.Join(s.addEvents(db, batch, b.Events), addAttempts(batch, b.Attempts), s.addRefusals(batch, b.Refusals))
	if err == nil {
		err = s.commit(batch, len(b.Events) > 0)
	}
	if err != nil {
		s.next, s.ceiling = next, ceiling
		s.events.Store(events)
		return fmt.Errorf("keep the history: %w", err)
	}
	return nil
}

// commit writes a batch. What a file system that has stopped was told is not there.
func (s *Store) commit(batch *pebble.Batch, synced bool) error {
	how := pebble.NoSync
	if synced {
		how = pebble.Sync
	}
	return errors.Join(batch.Commit(how), s.fs.Cause())
}

// addEvents adds events in blocks.
func (s *Store) addEvents(db *pebble.DB, batch *pebble.Batch, events []history.Event) error {
	if len(events) == 0 {
		return nil
	}
	stamped := s.opts.Present()
	b, size := block{stamped: stamped}, 0
	for i := range events {
		e := &events[i]
		facts, err := event.FactsOf(e.Payload)
		if err != nil {
			continue // it is none, and nobody could look for it
		}
		switch known, err := s.has(db, &facts, e.AcceptedAt); {
		case err != nil:
			return err
		case known:
			continue
		}
		if len(b.events) == blockEvents || size > 0 && size+len(e.Payload) > blockBytes {
			if err := s.addBlock(batch, &b); err != nil {
				return err
			}
			b, size = block{stamped: stamped}, 0
		}
		b.events, b.facts = append(b.events, *e), append(b.facts, facts)
		size += len(e.Payload)
	}
	if err := s.addBlock(batch, &b); err != nil {
		return err
	}
	return batch.Set([]byte(metaNext), s.state(), nil)
}

func (s *Store) addBlock(batch *pebble.Batch, b *block) error {
	if len(b.events) == 0 {
		return nil
	}
	for i := range b.events {
		if at := b.events[i].AcceptedAt; at.After(s.ceiling) {
			s.ceiling = at
		}
	}
	b.number, b.ceiling = s.next, s.ceiling
	s.next++
	s.events.Add(int64(len(b.events)))
	if s.oldest.Load() == 0 {
		s.oldest.Store(int64(millis(b.stamped)))
	}
	return errors.Join(batch.Set(blockKey(b.number), b.encode(s.z), nil), setIndex(batch, b))
}

func setIndex(batch *pebble.Batch, b *block) error {
	var errs []error
	for _, p := range b.index() {
		errs = append(errs, batch.Set(indexKey(p.term, b.number), p.at.encode(), nil))
	}
	return errors.Join(errs...)
}

// has reports whether an event is stored already. That can only be where it was accepted by when the store was opened: a receiver that was
// killed gives again what it had not ticked off.
func (s *Store) has(db *pebble.DB, facts *event.Facts, at time.Time) (bool, error) {
	if at.After(s.known) {
		return false, nil
	}
	w, err := newWalk(db, &walkOptions{terms: []term{termOf(tableIDs, facts.ID)}})
	if err != nil {
		return false, err
	}
	defer w.close()
	for {
		number, positions, ok := w.next()
		if !ok {
			return false, w.err()
		}
		b, err := s.readBlock(db, number)
		if b == nil || err != nil {
			if err != nil {
				return false, err
			}
			continue
		}
		if err := b.readFacts(positions); err != nil {
			return false, err
		}
		if b.holds(positions, facts, at) {
			return true, nil
		}
	}
}

// holds reports whether an event that was accepted at a time is at one of some positions, whose facts have been read.
func (b *block) holds(positions mask, facts *event.Facts, at time.Time) bool {
	for i := range b.events {
		f := &b.facts[i]
		if positions&(1<<i) != 0 && f.ID == facts.ID && f.Source == facts.Source && millis(b.events[i].AcceptedAt) == millis(at) {
			return true
		}
	}
	return false
}

func addAttempts(batch *pebble.Batch, attempts []history.Attempt) error {
	var errs []error
	for i := range attempts {
		value := encodeAttempt(&attempts[i])
		for j := range attempts[i].Events {
			errs = append(errs, batch.Set(attemptKey(&attempts[i], &attempts[i].Events[j]), value, nil))
		}
	}
	return errors.Join(errs...)
}

// addRefusals files refusals by a clock that does not jump, since they are removed by it.
func (s *Store) addRefusals(batch *pebble.Batch, refusals []history.Refusal) error {
	var errs []error
	stamped := millis(s.opts.Present())
	for i := range refusals {
		text, err := json.Marshal(&refusals[i])
		s.refusals++
		key := binary.BigEndian.AppendUint32(numberKey(tableRefusals, stamped), s.refusals)
		errs = append(errs, err, batch.Set(key, text, nil))
	}
	return errors.Join(errs...)
}
