package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
)

// dedupeClock tells the generation of dedupe keys: the number of the window that the present is in.
type dedupeClock struct{ newest atomic.Uint32 }

// load finds the newest generation that was stored.
func (c *dedupeClock) load(db *pebble.DB) error {
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{tableDedupe}, UpperBound: []byte{tableDedupe + 1}})
	if err != nil {
		return err
	}
	c.newest.Store(0)
	if iter.Last() && len(iter.Key()) > 4 {
		c.newest.Store(binary.BigEndian.Uint32(iter.Key()[1:]))
	}
	return iter.Close()
}

// now returns the present generation. A clock that was set back across the border of two generations stays in the newer
// one, so that its keys are still looked at.
func (c *dedupeClock) now(o *Options) uint32 {
	generation := generationNow(o)
	if c.newest.Load() == generation+1 {
		return generation + 1
	}
	c.newest.Store(generation)
	return generation
}

func generationNow(o *Options) uint32 { return generationAt(o.Now(), o) }

func generationAt(t time.Time, o *Options) uint32 {
	return uint32(t.UnixMilli() / o.DedupeWindow.Milliseconds())
}

// adoptBatch bounds the keys that are moved in one step.
const adoptBatch = 10_000

// adoptKeys makes the keys that were stored with another window keys of the present generation: the numbers of theirs mean other
// times now. They are known for one to two windows from here on.
func adoptKeys(db *pebble.DB, o *Options) error {
	window := uint64(o.DedupeWindow.Milliseconds())
	stored, err := getNumbers(db, metaWindow, 1)
	if err != nil || stored[0] == window {
		return err
	}
	mark := encodeNumbers(window)
	if stored[0] == 0 { // it is new
		return db.Set([]byte(metaWindow), mark, pebble.NoSync)
	}
	current := generationNow(o)
	if err := copyKeys(db, current); err != nil {
		return err
	}
	batch := db.NewBatch()
	defer batch.Close() //nolint:errcheck // it only gives the memory back
	if err := batch.DeleteRange([]byte{tableDedupe}, generationKey(current), nil); err != nil {
		return err
	}
	if err := batch.DeleteRange(generationKey(current+1), []byte{tableDedupe + 1}, nil); err != nil {
		return err
	}
	if err := batch.Set([]byte(metaWindow), mark, nil); err != nil {
		return err
	}
	return batch.Commit(pebble.NoSync) // if it is forgotten, it is done again
}

// copyKeys adds the keys of all generations to one.
func copyKeys(db *pebble.DB, to uint32) error {
	batch := db.NewBatch()
	err := scan(db, []byte{tableDedupe}, []byte{tableDedupe + 1}, func(key, _ []byte) (bool, error) {
		if len(key) != 5+dedupeHashBytes {
			return false, errMalformed
		}
		if err := batch.Set(dedupeKey(to, dedupeHash(key[5:])), nil, nil); err != nil || batch.Count() < adoptBatch {
			return err == nil, err
		}
		err := errors.Join(batch.Commit(pebble.NoSync), batch.Close())
		batch = db.NewBatch()
		return err == nil, err
	})
	if err == nil {
		err = batch.Commit(pebble.NoSync)
	}
	return errors.Join(err, batch.Close())
}

// KeyHashes calls yield with the dedupe keys of the present generation, and then of the one before.
func (j *Journal) KeyHashes(ctx context.Context, yield func(journal.KeyHash) bool) error {
	db, release, err := j.acquire()
	if err != nil {
		return err
	}
	defer release()
	present := j.dedupe.now(&j.opts)
	more := true
	for _, generation := range []uint32{present, present - 1} {
		if !more {
			break
		}
		err := scan(db, generationKey(generation), generationKey(generation+1), func(key, _ []byte) (bool, error) {
			more = len(key) == 5+dedupeHashBytes && yield(dedupeHash(key[5:]))
			return more, ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pruneDedupe removes the generations before the previous one.
func (j *Journal) pruneDedupe(present time.Time) error {
	db, release, err := j.acquire()
	if err != nil {
		return err
	}
	defer release()
	current := min(j.dedupe.now(&j.opts), generationAt(present, &j.opts))
	if current < 2 {
		return nil
	}
	return deleteRange(db, []byte{tableDedupe}, generationKey(current-1))
}

// deleteRange deletes a range that is not empty: a range deletion costs even when there is nothing to delete.
func deleteRange(db *pebble.DB, lower, upper []byte) error {
	some := false
	err := scan(db, lower, upper, func(_, _ []byte) (bool, error) {
		some = true
		return false, nil
	})
	if !some || err != nil {
		return err
	}
	return db.DeleteRange(lower, upper, pebble.NoSync)
}
