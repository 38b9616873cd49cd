package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// syncInterval bounds how many settlements a power cut makes forgotten when nothing is being appended.
	syncInterval = time.Second
	// pruneInterval is how often what has expired is removed.
	pruneInterval = time.Minute
	// pruneBatch bounds the dead letters that are removed in one step.
	pruneBatch = 1000
)

// housekeep does what is due from time to time.
func (j *Journal) housekeep() {
	syncs, prunes := time.NewTicker(syncInterval), time.NewTicker(pruneInterval)
	defer syncs.Stop()
	defer prunes.Stop()
	for {
		select {
		case <-syncs.C:
			j.syncSettlements()
		case <-prunes.C:
			j.prune()
		case <-j.closing:
			return
		}
	}
}

// syncSettlements makes the settlements durable that no append has made durable.
func (j *Journal) syncSettlements() {
	if !j.unsynced.Swap(false) {
		return
	}
	db, release, err := j.acquire()
	if err != nil {
		return
	}
	defer release()
	j.syncs.Add(1)
	if err := db.LogData(nil, pebble.Sync); err != nil {
		j.fail(err)
	}
}

// prune removes the dead letters and the dedupe keys that have expired.
func (j *Journal) prune() {
	present, err := j.oldAge()
	if err == nil {
		err = errors.Join(j.pruneDeadLetters(present), j.pruneDedupe(present))
	}
	if err != nil && j.refusal() == nil {
		j.opts.Logger.Warn("what has expired could not be removed from the journal", "error", err)
	}
}

func (j *Journal) pruneDeadLetters(present time.Time) error {
	letters := j.DeadLetters()
	expired := present.Add(-j.opts.DeadLetterRetention)
	for {
		list, err := letters.List(context.Background(), 0, pruneBatch)
		if err != nil {
			return err
		}
		var ids []uint64
		for i := range list {
			if list[i].At.Before(expired) {
				ids = append(ids, list[i].ID)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		if _, err := letters.Drop(context.Background(), ids); err != nil {
			return err
		}
	}
}
