package store

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
)

// ReadEvent returns a copy of the event with a sequence. The error wraps [journal.ErrNotFound] or [format.ErrMalformed] when it is not there.
func ReadEvent(db *pebble.DB, sequence uint64) (format.Event, error) {
	value, err := Get(db, format.BundleKey(format.BundleOf(sequence)))
	if err != nil {
		return format.Event{}, fmt.Errorf("bundle %d: %w", format.BundleOf(sequence), err)
	}
	b, err := format.DecodeBundle(value, nil)
	if err != nil {
		return format.Event{}, err
	}
	if format.PositionOf(sequence) >= len(b.Events) {
		return format.Event{}, format.ErrMalformed
	}
	return b.Events[format.PositionOf(sequence)], nil
}

// Scan calls visit with the keys from lower, and before upper, in order, until it returns false or an error, which Scan returns. Keys and
// values are good during the call.
func Scan(db *pebble.DB, lower, upper []byte, visit func(key, value []byte) (bool, error)) error {
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	more := true
	for valid := iter.First(); valid && more; valid = more && iter.Next() {
		var value []byte
		if value, err = iter.ValueAndErr(); err == nil {
			more, err = visit(iter.Key(), value)
		}
		if err != nil {
			break
		}
	}
	return errors.Join(err, iter.Close())
}

// Get returns a copy of a value. The error is [journal.ErrNotFound] when there is none.
func Get(db *pebble.DB, key []byte) ([]byte, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, journal.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return bytes.Clone(value), closer.Close()
}

// Has reports whether key is in the store.
func Has(db *pebble.DB, key []byte) (bool, error) {
	_, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, closer.Close()
}

// Numbers reads up to count numbers; those that are not there are zero.
func Numbers(db *pebble.DB, name string, count int) ([]uint64, error) {
	numbers := make([]uint64, count)
	value, closer, err := db.Get([]byte(name))
	if errors.Is(err, pebble.ErrNotFound) {
		return numbers, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close() //nolint:errcheck // it only gives the block back
	if err := format.DecodeNumbers(value, numbers); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return numbers, nil
}

// LastKey returns the last key of a range, or nil.
func LastKey(db *pebble.DB, lower, upper []byte) ([]byte, error) {
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, err
	}
	var key []byte
	if iter.Last() {
		key = bytes.Clone(iter.Key())
	}
	return key, iter.Close()
}

// DeleteRange deletes a range that is not empty: a range deletion costs even when there is nothing to delete.
func DeleteRange(db *pebble.DB, lower, upper []byte) error {
	some := false
	err := Scan(db, lower, upper, func(_, _ []byte) (bool, error) {
		some = true
		return false, nil
	})
	if !some || err != nil {
		return err
	}
	return db.DeleteRange(lower, upper, pebble.NoSync)
}
