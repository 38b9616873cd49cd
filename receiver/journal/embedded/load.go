package embedded

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// load reads what is kept in memory from db, starts a new epoch, and returns the count that is still to be made.
func (j *Journal) load(db *pebble.DB) (*counter, error) {
	if err := checkFormat(db); err != nil {
		return nil, err
	}
	epoch, err := j.lastEpoch(db)
	if err != nil {
		return nil, err
	}
	j.epoch = epoch + 1
	if err := db.Set([]byte(format.MetaEpoch), format.EncodeNumbers(j.epoch), pebble.NoSync); err != nil {
		return nil, err
	}
	if err := j.loadNumbers(db); err != nil {
		return nil, err
	}
	if err := adoptKeys(db, &j.opts); err != nil {
		return nil, err
	}
	if err := errors.Join(j.dedupe.load(db), j.loadAge(db)); err != nil {
		return nil, err
	}
	if err := j.queues.load(j, db); err != nil {
		return nil, err
	}
	if err := j.reconcile(db); err != nil {
		return nil, err
	}
	return j.newCounter(db)
}

func checkFormat(db *pebble.DB) error {
	switch value, closer, err := db.Get([]byte(format.MetaFormat)); {
	case errors.Is(err, pebble.ErrNotFound):
		return db.Set([]byte(format.MetaFormat), []byte(format.Version), pebble.Sync)
	case err != nil:
		return err
	default:
		found := string(value)
		if err := closer.Close(); err != nil {
			return err
		}
		if found == format.VersionBefore {
			return db.Set([]byte(format.MetaFormat), []byte(format.Version), pebble.Sync)
		}
		if found != format.Version {
			return fmt.Errorf("journal has format version %q, this release reads %q", found, format.Version)
		}
		return nil
	}
}

// loadNumbers sets the next bundle and dead letter. They never go back, also when the tail of the store was lost.
func (j *Journal) loadNumbers(db *pebble.DB) error {
	next, err := store.Numbers(db, format.MetaNext, 3)
	if err != nil {
		return err
	}
	nextDead, err := store.Numbers(db, format.MetaNextDead, 1)
	if err != nil {
		return err
	}
	last, err := lastNumbers(db)
	if err != nil {
		return err
	}
	j.stored = max(j.stored, next[2])
	j.nextBundle = max(j.nextBundle, next[0], last.bundle+1)
	j.durable.Store(j.nextBundle - 1)
	j.nextDeadLetter.Store(max(j.nextDeadLetter.Load(), next[1], nextDead[0], last.letter+1))
	return nil
}

// lastEpoch returns the last epoch. Where that was lost it returns one that cannot have been: none may come again.
func (j *Journal) lastEpoch(db *pebble.DB) (uint64, error) {
	epoch, err := store.Numbers(db, format.MetaEpoch, 1)
	if err != nil {
		return 0, err
	}
	if epoch[0] > 0 {
		return epoch[0], nil
	}
	key, err := store.LastKey(db, []byte{format.TableSchedule}, []byte{format.TableSchedule + 1})
	if key == nil || err != nil { // the store is new
		return 0, err
	}
	return format.ToMillis(j.opts.Now()), nil
}

// numbers are those of the last bundle and the last dead letter.
type numbers struct{ bundle, letter uint64 }

// lastNumbers returns the largest that are in use: where what says which are the next was lost, none may be used twice.
func lastNumbers(db *pebble.DB) (n numbers, err error) {
	for _, table := range []byte{format.TableEvents, format.TableDeadLetters, format.TablePayloads} {
		key, err := store.LastKey(db, []byte{table}, []byte{table + 1})
		if err != nil {
			return n, err
		}
		number, _ := format.LastNumber(key)
		if table == format.TableEvents {
			n.bundle = number
		} else {
			n.letter = max(n.letter, number)
		}
	}
	return n, nil
}
