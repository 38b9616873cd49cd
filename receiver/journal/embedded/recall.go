package embedded

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
)

// Recall ends every lease and makes everything that is owed due at once, in the order in which it was appended, as a restart
// does: it begins a new epoch. From then on, Stats tells of everything that the journal holds.
func (j *Journal) Recall() error {
	select {
	case <-j.counted:
	case <-j.closing:
		return journal.ErrClosed
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refusal(); err != nil {
		return err
	}
	if j.db == nil {
		return journal.ErrUnavailable
	}
	if err := j.db.Set([]byte(format.MetaEpoch), format.EncodeNumbers(j.epoch+1), pebble.NoSync); err != nil {
		return fmt.Errorf("recall: %w", err)
	}
	j.epoch++
	for _, q := range j.queues.all() {
		q.rewind()
	}
	j.queues.wakeAll()
	return nil
}
