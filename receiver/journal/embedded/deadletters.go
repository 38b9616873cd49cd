package embedded

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// deadLetters is the journal's store of dead letters.
type deadLetters struct{ j *Journal }

// DeadLetters returns the store of what could not be delivered or decoded.
func (j *Journal) DeadLetters() journal.DeadLetters { return deadLetters{j} }

// List returns up to limit dead letters after one, oldest first, without payloads.
func (d deadLetters) List(ctx context.Context, after uint64, limit int) ([]journal.DeadLetter, error) {
	if after == math.MaxUint64 || limit <= 0 {
		return nil, ctx.Err()
	}
	db, release, err := d.j.acquire()
	if err != nil {
		return nil, err
	}
	defer release()
	var list []journal.DeadLetter
	lower := format.NumberKey(format.TableDeadLetters, after+1)
	err = store.Scan(db, lower, []byte{format.TableDeadLetters + 1}, func(key, value []byte) (bool, error) {
		id, ok := format.LastNumber(key)
		if !ok {
			return false, format.ErrMalformed
		}
		letter, err := format.DecodeDeadLetter(id, value)
		if err != nil {
			return false, err
		}
		list = append(list, letter)
		return len(list) < limit, ctx.Err()
	})
	return list, err
}

// Get returns one with its payload.
func (d deadLetters) Get(_ context.Context, id uint64) (journal.DeadLetter, error) {
	db, release, err := d.j.acquire()
	if err != nil {
		return journal.DeadLetter{}, err
	}
	defer release()
	record, err := store.Get(db, format.NumberKey(format.TableDeadLetters, id))
	if err != nil {
		return journal.DeadLetter{}, err
	}
	letter, err := format.DecodeDeadLetter(id, record)
	if err != nil {
		return journal.DeadLetter{}, err
	}
	letter.Payload, err = store.Get(db, format.NumberKey(format.TablePayloads, id))
	return letter, err
}

// Drop removes dead letters durably and returns how many there were.
func (d deadLetters) Drop(ctx context.Context, ids []uint64) (int, error) {
	a, err := d.j.submit(ctx, &journal.Batch{Resolves: ids})
	return a.resolved, err
}

// letterSize returns how much a dead letter takes, or ErrNotFound.
func letterSize(db *pebble.DB, id uint64) (int64, error) {
	record, err := store.Get(db, format.NumberKey(format.TableDeadLetters, id))
	if err != nil {
		return 0, err
	}
	return recordedSize(db, id, record)
}

// recordedSize returns how much the dead letter takes that has a record.
func recordedSize(db *pebble.DB, id uint64, record []byte) (int64, error) {
	size, err := format.LetterPayloadSize(record)
	if err != nil {
		return 0, fmt.Errorf("dead letter %d: %w", id, err)
	}
	if size == 0 { // what an older release wrote says nothing of its payload
		payload, err := store.Get(db, format.NumberKey(format.TablePayloads, id))
		if err != nil && !errors.Is(err, journal.ErrNotFound) {
			return 0, err
		}
		size = int64(len(payload))
	}
	return int64(len(record)) + size, nil
}
