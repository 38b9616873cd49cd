package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
)

const (
	// measureInterval is how often the space is looked at.
	measureInterval = time.Second
	// trimShare is the part of the events that goes when there are too many bytes, 1/8, and trimRounds how often that is done at once.
	trimShare  = 8
	trimRounds = 8
	// trimBatch is how many blocks are removed in one step.
	trimBatch = 64
)

// makeRoom removes the oldest events while the store takes more than it may. The error is [history.ErrFull] when that did not help:
// something else fills the file system.
func (s *Store) makeRoom(ctx context.Context, db *pebble.DB) error {
	if time.Since(s.measured) < measureInterval {
		return nil
	}
	for range trimRounds {
		if !s.isOver(db) {
			s.measured = time.Now()
			return nil
		}
		removed, err := s.trimShare(ctx, db)
		if err != nil {
			return err
		}
		if removed == 0 {
			break
		}
	}
	if !s.isOver(db) {
		return nil
	}
	return fmt.Errorf("%w: make room on the file system of %s", history.ErrFull, s.opts.Dir)
}

// isOver reports whether the store takes more than it may, or leaves less free than it should.
func (s *Store) isOver(db *pebble.DB) bool {
	m := db.Metrics()
	total := m.Total()
	used := total.TablesSize + int64(m.WAL.Size)
	s.used.Store(used)
	if used > s.opts.MaxBytes {
		return true
	}
	if s.opts.MinFreeBytes == 0 {
		return false
	}
	disk, err := s.opts.FS.GetDiskUsage(s.opts.Dir)
	return err == nil && int64(disk.AvailBytes) < s.opts.MinFreeBytes // where it cannot be told, a write will tell
}

// trimShare removes the oldest part of the events, and gives its space back.
func (s *Store) trimShare(ctx context.Context, db *pebble.DB) (blocks int, err error) {
	first, ok, err := firstBlock(db, 0)
	if err != nil || !ok {
		return 0, err
	}
	until := first.number + max((s.next-first.number)/trimShare, 1)
	if blocks, err = s.trimUntil(db, until); err != nil {
		return blocks, err
	}
	for _, table := range []byte{tableBlocks, tableAttempts, tableIDs, tableRecipients, tableMessages, tableProviderMessages, tableEndpoints, tableTypes} {
		err = errors.Join(err, db.Compact(ctx, []byte{table}, []byte{table + 1}, false))
	}
	return blocks, err
}

// Trim removes what is older than it may be.
func (s *Store) Trim(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	db, release, err := s.acquire()
	if err != nil {
		return err
	}
	defer release()
	present := s.opts.Present()
	if present.IsZero() {
		return nil
	}
	horizon := present.Add(-s.opts.MaxAge)
	until := uint64(0)
	for {
		b, ok, err := firstBlock(db, until)
		if err != nil {
			return err
		}
		if !ok || !b.stamped.Before(horizon) || ctx.Err() != nil {
			break
		}
		until = b.number + 1
	}
	_, err = s.trimUntil(db, until)
	old := numberKey(tableRefusals, millis(horizon))
	return errors.Join(err, db.DeleteRange([]byte{tableRefusals}, old, pebble.NoSync), s.fs.Cause())
}

// header is what can be said of a block without its events.
type header struct {
	number  uint64
	count   uint64
	stamped time.Time
}

// firstBlock returns the first block from a number on.
func firstBlock(db *pebble.DB, from uint64) (h header, ok bool, err error) {
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: blockKey(from), UpperBound: []byte{tableBlocks + 1}})
	if err != nil {
		return h, false, err
	}
	if ok = iter.First(); ok {
		var value []byte
		if value, err = iter.ValueAndErr(); err == nil {
			r := reader{rest: value}
			h = header{number: lastNumber(iter.Key()), count: r.uvarint(), stamped: r.time()}
			err = r.err
		}
	}
	return h, ok && err == nil, errors.Join(err, iter.Close())
}

// trimUntil removes the blocks before a number with all that is kept of their events, and returns how many there were.
func (s *Store) trimUntil(db *pebble.DB, until uint64) (blocks int, err error) {
	for {
		n, err := s.trimSome(db, until)
		blocks += n
		if n < trimBatch || err != nil {
			s.noteOldest(db)
			return blocks, err
		}
	}
}

func (s *Store) trimSome(db *pebble.DB, until uint64) (blocks int, err error) {
	batch := db.NewBatch()
	defer func() { _ = batch.Close() }() // it is committed, or nothing of it is wanted
	for from := uint64(0); blocks < trimBatch; blocks++ {
		h, ok, err := firstBlock(db, from)
		if err != nil {
			return blocks, err
		}
		if !ok || h.number >= until {
			break
		}
		from = h.number + 1
		if err := s.removeBlock(db, batch, h.number); err != nil {
			return blocks, err
		}
		s.events.Add(-int64(h.count))
	}
	if blocks == 0 {
		return 0, nil
	}
	if err := batch.Set([]byte(metaNext), s.state(), nil); err != nil {
		return blocks, err
	}
	return blocks, s.commit(batch, false)
}

// removeBlock removes a block, what the index says of it and the attempts of its events. Of one that cannot be read the index stays: what it
// finds is not there any more.
func (s *Store) removeBlock(db *pebble.DB, batch *pebble.Batch, number uint64) error {
	b, err := s.readBlock(db, number)
	if err == nil && b != nil {
		err = b.readFacts(allPositions)
	}
	errs := []error{batch.Delete(blockKey(number), nil)}
	if err != nil || b == nil {
		return errors.Join(errs...)
	}
	for _, p := range b.index() {
		errs = append(errs, batch.Delete(indexKey(p.term, number), nil))
	}
	for i := range b.events {
		if b.events[i].Payload != nil {
			errs = append(errs, removeAttempts(db, batch, &b.facts[i]))
		}
	}
	return errors.Join(errs...)
}

func removeAttempts(db *pebble.DB, batch *pebble.Batch, f *event.Facts) error {
	return scanAttempts(db, history.KeyOf([]byte(f.ID), []byte(f.Source)), func(key, _ []byte) error { return batch.Delete(key, nil) })
}

// noteOldest keeps when the oldest block was stored.
func (s *Store) noteOldest(db *pebble.DB) {
	h, ok, err := firstBlock(db, 0)
	if err != nil || !ok {
		s.oldest.Store(0)
		return
	}
	s.oldest.Store(int64(millis(h.stamped)))
}
