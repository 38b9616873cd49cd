package embedded

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
)

// Erase implements [history.Keeper]. The space of what was erased is written over by the store at once, as far as files of a file system can be.
func (s *Store) Erase(ctx context.Context, e history.Erasure) (events int, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	db, release, err := s.acquire()
	if err != nil {
		return 0, err
	}
	defer release()
	recipient := history.FoldAddress(e.Recipient)
	w, err := newWalk(db, &walkOptions{terms: []term{termOf(tableRecipients, recipient)}, forward: true})
	if err != nil {
		return 0, err
	}
	defer w.close()
	for {
		number, _, ok := w.next()
		if !ok || ctx.Err() != nil {
			break
		}
		n, err := s.eraseOf(db, number, recipient, e.CountAlone)
		events += n
		if err != nil {
			return events, err
		}
	}
	if err := errors.Join(w.err(), ctx.Err()); err != nil || e.CountAlone {
		return events, err
	}
	return events, s.finishErasure(ctx, db, events, e.By)
}

// eraseOf writes a block anew, without what names a recipient, and returns how many events that was.
func (s *Store) eraseOf(db *pebble.DB, number uint64, recipient string, countAlone bool) (events int, err error) {
	b, err := s.readBlock(db, number)
	if err != nil || b == nil {
		return 0, err
	}
	if err := b.readFacts(allPositions); err != nil {
		return 0, err
	}
	batch := db.NewBatch()
	defer func() { _ = batch.Close() }() // it is committed, or nothing of it is wanted
	var errs []error
	for _, p := range b.index() {
		errs = append(errs, batch.Delete(indexKey(p.term, number), nil))
	}
	for i := range b.events {
		if b.events[i].Payload == nil || !names(&b.facts[i], recipient) {
			continue
		}
		events++
		errs = append(errs, removeAttempts(db, batch, &b.facts[i]))
		b.events[i], b.facts[i] = history.Event{}, event.Facts{}
	}
	if events == 0 || countAlone {
		return events, nil
	}
	errs = append(errs, batch.Set(blockKey(number), b.encode(s.z), nil), setIndex(batch, b))
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}
	return events, s.commit(batch, true)
}

// finishErasure notes an erasure, without saying whose it was, and has the tables written anew that held what was erased.
func (s *Store) finishErasure(ctx context.Context, db *pebble.DB, events int, by string) error {
	note := strings.Join([]string{strconv.Itoa(events), by}, " ")
	if err := errors.Join(db.Set(numberKey(tableErasures, millis(s.opts.Present())), []byte(note), pebble.Sync), s.fs.Cause()); err != nil || events == 0 {
		return err
	}
	return errors.Join(
		db.Compact(ctx, []byte{tableIDs}, []byte{tableTypes + 1}, false),
		db.Compact(ctx, []byte{tableAttempts}, []byte{tableBlocks + 1}, false),
	)
}
