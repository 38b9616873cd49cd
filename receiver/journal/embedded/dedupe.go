package embedded

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
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
	generation := uint32(o.Now().UnixMilli() / o.DedupeWindow.Milliseconds())
	if c.newest.Load() == generation+1 {
		return generation + 1
	}
	c.newest.Store(generation)
	return generation
}

// pruneDedupe removes the generations before the previous one.
func (j *Journal) pruneDedupe() error {
	db, release, err := j.acquire()
	if err != nil {
		return err
	}
	defer release()
	current := j.dedupe.now(&j.opts)
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
