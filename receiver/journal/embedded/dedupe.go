package embedded

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// dedupeClock tells the generation of dedupe keys: the number of the window that the present is in.
type dedupeClock struct{ newest atomic.Uint32 }

// load finds the newest generation that was stored.
func (c *dedupeClock) load(db *pebble.DB) error {
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{format.TableDedupe}, UpperBound: []byte{format.TableDedupe + 1}})
	if err != nil {
		return err
	}
	newest := uint32(0)
	if iter.Last() {
		newest, _, _ = format.ParseDedupeKey(iter.Key())
	}
	c.newest.Store(newest)
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
	stored, err := store.Numbers(db, format.MetaWindow, 1)
	if err != nil || stored[0] == window {
		return err
	}
	mark := format.EncodeNumbers(window)
	if stored[0] == 0 { // it is new
		return db.Set([]byte(format.MetaWindow), mark, pebble.NoSync)
	}
	current := generationNow(o)
	if err := copyKeys(db, current); err != nil {
		return err
	}
	batch := db.NewBatch()
	defer batch.Close() //nolint:errcheck // it only gives the memory back
	if err := batch.DeleteRange([]byte{format.TableDedupe}, format.GenerationKey(current), nil); err != nil {
		return err
	}
	if err := batch.DeleteRange(format.GenerationKey(current+1), []byte{format.TableDedupe + 1}, nil); err != nil {
		return err
	}
	if err := batch.Set([]byte(format.MetaWindow), mark, nil); err != nil {
		return err
	}
	return batch.Commit(pebble.NoSync) // if it is forgotten, it is done again
}

// copyKeys adds the keys of all generations to one.
func copyKeys(db *pebble.DB, to uint32) error {
	batch := db.NewBatch()
	err := store.Scan(db, []byte{format.TableDedupe}, []byte{format.TableDedupe + 1}, func(key, _ []byte) (bool, error) {
		_, hash, ok := format.ParseDedupeKey(key)
		if !ok {
			return false, format.ErrMalformed
		}
		if err := batch.Set(format.DedupeKey(to, hash), nil, nil); err != nil || batch.Count() < adoptBatch {
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

// keyReader returns what reads all dedupe keys of a store, unless ctx ends.
func keyReader(ctx context.Context, db *pebble.DB) func(add func(generation uint32, hash journal.KeyHash)) error {
	return func(add func(generation uint32, hash journal.KeyHash)) error {
		return store.Scan(db, []byte{format.TableDedupe}, []byte{format.TableDedupe + 1}, func(key, _ []byte) (bool, error) {
			generation, hash, ok := format.ParseDedupeKey(key)
			if !ok {
				return false, format.ErrMalformed
			}
			add(generation, hash)
			return ctx.Err() == nil, nil
		})
	}
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
		err := store.Scan(db, format.GenerationKey(generation), format.GenerationKey(generation+1), func(key, _ []byte) (bool, error) {
			_, hash, ok := format.ParseDedupeKey(key)
			more = ok && yield(hash)
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
	return store.DeleteRange(db, []byte{format.TableDedupe}, format.GenerationKey(current-1))
}
