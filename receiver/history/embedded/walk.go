package embedded

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// walkOptions say where to look.
type walkOptions struct {
	// terms are what to look for, any of them; none = all events.
	terms []term
	// from is where to begin, itself left out: before it, or behind it with forward. begun is false for the very beginning.
	from    place
	begun   bool
	forward bool
}

// walk goes through the blocks in which something is found, the latest first or the other way round.
type walk struct {
	o     *walkOptions
	iters []*pebble.Iterator
	// all says that there is one iterator, over the blocks themselves.
	all    bool
	failed error
}

func newWalk(db *pebble.DB, o *walkOptions) (*walk, error) {
	w := &walk{o: o, all: len(o.terms) == 0}
	if w.all {
		return w, w.add(db, []byte{tableBlocks})
	}
	for _, t := range o.terms {
		if err := w.add(db, t[:]); err != nil {
			w.close()
			return nil, err
		}
	}
	return w, nil
}

// add adds an iterator over the keys with a prefix, which ends in front of a block.
func (w *walk) add(db *pebble.DB, prefix []byte) error {
	bounds := &pebble.IterOptions{LowerBound: append(append([]byte{}, prefix...), make([]byte, 8)...), UpperBound: append(append([]byte{}, prefix...), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)}
	iter, err := db.NewIter(bounds)
	if err != nil {
		return err
	}
	w.iters = append(w.iters, iter)
	switch {
	case !w.o.begun && w.o.forward:
		iter.First()
	case !w.o.begun:
		iter.Last()
	case w.o.forward:
		iter.SeekGE(numberAfter(prefix, w.o.from.block()))
	default:
		iter.SeekLT(numberAfter(prefix, w.o.from.block()+1))
	}
	return nil
}

func numberAfter(prefix []byte, number uint64) []byte {
	key := append([]byte{}, prefix...)
	return append(key, numberKey(0, number)[1:]...)
}

// next returns the next block, and where in it something may be found.
func (w *walk) next() (number uint64, at mask, ok bool) {
	if number, ok = w.nearest(); !ok {
		return 0, 0, false
	}
	for _, iter := range w.iters {
		if iter.Valid() && lastNumber(iter.Key()) == number {
			at |= w.positions(iter)
			w.step(iter)
		}
	}
	if w.o.begun && number == w.o.from.block() {
		if w.o.forward {
			at = at.from(w.o.from.position() + 1)
		} else {
			at = at.until(w.o.from.position())
		}
	}
	return number, at, true
}

// nearest returns the number of the block that comes next.
func (w *walk) nearest() (number uint64, ok bool) {
	for _, iter := range w.iters {
		if !iter.Valid() {
			continue
		}
		n := lastNumber(iter.Key())
		if !ok || (n > number) != w.o.forward && n != number {
			number, ok = n, true
		}
	}
	return number, ok
}

func (w *walk) positions(iter *pebble.Iterator) mask {
	if w.all {
		return allPositions
	}
	value, err := iter.ValueAndErr()
	var m mask
	if err == nil {
		m, err = decodeMask(value)
	}
	w.failed = errors.Join(w.failed, err)
	return m
}

func (w *walk) step(iter *pebble.Iterator) {
	if w.o.forward {
		iter.Next()
	} else {
		iter.Prev()
	}
}

func (w *walk) err() error {
	err := w.failed
	for _, iter := range w.iters {
		err = errors.Join(err, iter.Error())
	}
	return err
}

func (w *walk) close() {
	for _, iter := range w.iters {
		_ = iter.Close() // what it met is in err
	}
}
