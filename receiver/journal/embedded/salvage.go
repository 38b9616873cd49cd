package embedded

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/damage"
	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// Salvaged says what was found in a store that could not be opened.
type Salvaged struct {
	// Events counts the events, and Owed the deliveries of them by sink.
	Events int64
	Owed   map[string]int64
	// DeadLetters counts the dead letters.
	DeadLetters int64
	// Lost counts the deliveries that are known to be lost by sink; "" = it is not known whose they were.
	Lost map[string]int64
	// Damaged says of each file that could not be read as a whole what is missing.
	Damaged []string
}

// Salvage makes a new store in to, which must not be there or be empty, of all that can be read in the folder from, whose files stay as they
// are. What was delivered not long ago may be delivered again. It refuses a store that a process has open.
func Salvage(from, to string, o Options) (Salvaged, error) {
	o.Dir = to
	if err := o.complete(); err != nil {
		return Salvaged{}, err
	}
	lock, err := folder.Lock(o.FS, from)
	if err != nil {
		return Salvaged{}, err
	}
	s := salvage{storage: o.FS, from: from, to: to, o: &o}
	err = s.run()
	return s.found, errors.Join(err, lock.Close())
}

// salvage is one under way.
type salvage struct {
	storage  vfs.FS
	from, to string
	o        *Options
	found    Salvaged
}

func (s *salvage) run() (err error) {
	if err := s.prepare(); err != nil {
		return err
	}
	c, err := damage.Collect(s.storage, s.from, store.FileOptions(s.storage, s.o.store()))
	if err == nil {
		err = s.write(c)
	}
	if err = errors.Join(err, c.Close()); err != nil {
		return err
	}
	s.found.Damaged = c.Damaged
	s.lose("", c.Lost)
	return s.count()
}

// prepare makes the new folder.
func (s *salvage) prepare() error {
	names, err := s.storage.List(s.from)
	if err != nil {
		return err
	}
	if !folder.IsStore(names) {
		return fmt.Errorf("there is no journal in %s", s.from)
	}
	there, err := s.storage.List(s.to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(there) > 0 {
		return fmt.Errorf("%s is not empty", s.to)
	}
	if err := s.storage.MkdirAll(s.to, folder.Mode); err != nil {
		return err
	}
	ids, err := folder.ReadSinkNames(s.storage, s.from)
	if err != nil {
		return err
	}
	return errors.Join(folder.WriteSinkNames(s.storage, s.to, ids), folder.MarkRecheck(s.storage, s.to))
}

func (s *salvage) lose(sink string, count int) {
	if count == 0 {
		return
	}
	if s.found.Lost == nil {
		s.found.Lost = map[string]int64{}
	}
	s.found.Lost[sink] += int64(count)
}

// salvageBatchBytes bounds what is written in one step.
const salvageBatchBytes = 1 << 20

// write writes the newest of everything to the new store.
func (s *salvage) write(c *damage.Collection) error {
	fs := failstop.New(s.storage, nil, nil)
	db, err := store.Open(s.to, s.o.store(), fs, nil)
	if err != nil {
		return err
	}
	batch := db.NewBatch()
	err = c.Each(func(key, value []byte) error {
		if err := batch.Set(key, value, nil); err != nil || batch.Len() < salvageBatchBytes {
			return err
		}
		err := errors.Join(batch.Commit(pebble.NoSync), batch.Close(), fs.Cause())
		batch = db.NewBatch()
		return err
	})
	if err == nil {
		err = batch.Commit(pebble.Sync)
	}
	return errors.Join(err, batch.Close(), fs.Cause(), db.Close(), fs.Cause())
}

// count opens the new store, which checks what is in it, and counts.
func (s *salvage) count() error {
	j, err := Open(*s.o)
	if err != nil {
		return err
	}
	err = j.Recall() // it waits until all is counted
	stats := j.Stats()
	s.found.Owed, s.found.DeadLetters = stats.Pending, stats.DeadLetters
	for sink, n := range stats.Lost {
		s.lose(sink, int(n))
	}
	db, release, acquireErr := j.acquire()
	if acquireErr == nil {
		err = errors.Join(err, store.Scan(db, []byte{format.TableEvents}, []byte{format.TableEvents + 1}, func(_, value []byte) (bool, error) {
			b, err := format.DecodeBundle(value, nil)
			s.found.Events += int64(len(b.Events))
			return err == nil, err
		}))
		release()
	}
	return errors.Join(err, acquireErr, j.Close())
}
