package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/journal"
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
	lower := numberKey(tableDeadLetters, after+1)
	err = scan(db, lower, []byte{tableDeadLetters + 1}, func(key, value []byte) (bool, error) {
		id, ok := lastNumber(key)
		if !ok {
			return false, errMalformed
		}
		letter, err := decodeDeadLetter(id, value)
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
	record, err := get(db, numberKey(tableDeadLetters, id))
	if err != nil {
		return journal.DeadLetter{}, err
	}
	letter, err := decodeDeadLetter(id, record)
	if err != nil {
		return journal.DeadLetter{}, err
	}
	letter.Payload, err = get(db, numberKey(tablePayloads, id))
	return letter, err
}

// get returns a copy of a value, or ErrNotFound.
func get(db *pebble.DB, key []byte) ([]byte, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, journal.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return bytes.Clone(value), closer.Close()
}

// Drop removes dead letters durably and returns how many there were.
func (d deadLetters) Drop(ctx context.Context, ids []uint64) (int, error) {
	a, err := d.j.submit(ctx, &journal.Batch{Resolves: ids})
	return a.resolved, err
}

// letterSize returns how much a dead letter takes, or ErrNotFound.
func letterSize(db *pebble.DB, id uint64) (int64, error) {
	record, err := get(db, numberKey(tableDeadLetters, id))
	if err != nil {
		return 0, err
	}
	return recordedSize(db, id, record)
}

// recordedSize returns how much the dead letter takes that has a record.
func recordedSize(db *pebble.DB, id uint64, record []byte) (int64, error) {
	var r struct {
		Size int64 `json:"size"`
	}
	if err := json.Unmarshal(record, &r); err != nil {
		return 0, fmt.Errorf("dead letter %d: %w", id, err)
	}
	if r.Size == 0 { // what an older release wrote says nothing of its payload
		payload, err := get(db, numberKey(tablePayloads, id))
		if err != nil && !errors.Is(err, journal.ErrNotFound) {
			return 0, err
		}
		r.Size = int64(len(payload))
	}
	return int64(len(record)) + r.Size, nil
}
