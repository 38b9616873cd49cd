package embedded

import (
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// loadAge starts the clock of ages with what is stored.
func (j *Journal) loadAge(db *pebble.DB) error {
	stored, err := store.Numbers(db, format.MetaAge, 1)
	if err != nil {
		return err
	}
	var last time.Time
	if stored[0] > 0 {
		last = format.FromMillis(stored[0])
	}
	j.age.Begin(j.opts.Now(), last, j.opts.Uptime())
	return nil
}

// Present implements [journal.Journal].
func (j *Journal) Present() time.Time { return j.age.Now(j.opts.Now(), j.opts.Uptime()) }

// oldAge returns the present for what is to be removed because of its age, and stores it.
func (j *Journal) oldAge() (time.Time, error) {
	db, release, err := j.acquire()
	if err != nil {
		return time.Time{}, err
	}
	defer release()
	now := j.Present()
	return now, db.Set([]byte(format.MetaAge), format.EncodeNumbers(format.ToMillis(now)), pebble.NoSync)
}
