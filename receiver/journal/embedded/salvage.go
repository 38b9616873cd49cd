package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
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
	lock, err := lockFolder(o.FS, from)
	if err != nil {
		return Salvaged{}, err
	}
	s := salvage{storage: o.FS, from: from, to: to, options: storeOptions(&o), o: &o}
	err = s.run()
	return s.found, errors.Join(err, lock.Close())
}

// salvage is one under way.
type salvage struct {
	storage  vfs.FS
	from, to string
	options  *pebble.Options
	o        *Options
	names    []string
	merge    merge
	found    Salvaged
}

func (s *salvage) run() (err error) {
	if s.names, err = s.storage.List(s.from); err != nil {
		return err
	}
	slices.Sort(s.names)
	if err := s.prepare(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.merge.close()) }()
	if err := errors.Join(s.addTables(), s.addLogs()); err != nil {
		return err
	}
	if err := s.write(); err != nil {
		return err
	}
	return s.count()
}

// prepare makes the new folder.
func (s *salvage) prepare() error {
	if !slices.ContainsFunc(s.names, storeFile.MatchString) {
		return fmt.Errorf("there is no journal in %s", s.from)
	}
	there, err := s.storage.List(s.to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(there) > 0 {
		return fmt.Errorf("%s is not empty", s.to)
	}
	if err := s.storage.MkdirAll(s.to, folderMode); err != nil {
		return err
	}
	ids, err := readSinkNames(s.storage, s.from)
	if err != nil {
		return err
	}
	return errors.Join(writeSinkNames(s.storage, s.to, ids), markRecheck(s.storage, s.to))
}

func (s *salvage) damaged(name, format string, arguments ...any) {
	s.found.Damaged = append(s.found.Damaged, name+": "+fmt.Sprintf(format, arguments...))
}

func (s *salvage) addTables() error {
	for _, name := range s.names {
		if !strings.HasSuffix(name, ".sst") {
			continue
		}
		file, err := s.storage.Open(s.storage.PathJoin(s.from, name))
		if err != nil {
			return err
		}
		table, err := openTable(file, s.options)
		if err != nil {
			return err
		}
		if table.sound == nil {
			s.damaged(name, "what says where its blocks are cannot be read; %d blocks were found", len(table.data))
		}
		if err := s.merge.addTable(table, func(lost int) { s.damaged(name, "%d of %d blocks cannot be read", lost, len(table.data)) }); err != nil {
			return err
		}
	}
	return nil
}

// addLogs adds what the tables do not have.
func (s *salvage) addLogs() error {
	newest, err := newestLog(s.storage, s.from)
	if err != nil {
		return err
	}
	marks, err := openMarks(readOnlyFS{s.storage}, s.storage.PathJoin(s.from, markName))
	if err = errors.Join(err, marks.close()); err != nil {
		return err
	}
	m := &mender{storage: s.storage, dir: s.from, marks: marks, newest: newest}
	before := salvagedLog{}
	for _, name := range s.names {
		number, ok := logNumber(name)
		if !ok {
			continue
		}
		log, err := s.readLog(m, name, number, before)
		if err != nil {
			return err
		}
		before = salvagedLog{next: log.next, stored: log.stored}
	}
	s.merge.sortLogs()
	return nil
}

func (s *salvage) readLog(m *mender, name string, number uint64, before salvagedLog) (*salvagedLog, error) {
	file, err := s.storage.Open(s.storage.PathJoin(s.from, name))
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	synced, sound, err := m.survey(number, file)
	if err != nil {
		return nil, err
	}
	log, err := readLog(newOffsetReader(file), uint32(number), synced, before, s.merge.addBatch)
	if err == nil && sound < synced {
		s.damaged(name, "%s", log)
		s.lose("", log.lost)
	}
	return log, err
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
func (s *salvage) write() error {
	fs := newFailStopFS(s.storage, func(error) {})
	db, err := openPebble(s.to, s.o, fs, nil)
	if err != nil {
		return err
	}
	batch := db.NewBatch()
	err = s.merge.run(func(key, value []byte) error {
		if err := batch.Set(key, value, nil); err != nil || batch.Len() < salvageBatchBytes {
			return err
		}
		err := errors.Join(batch.Commit(pebble.NoSync), batch.Close(), fs.stopCause())
		batch = db.NewBatch()
		return err
	})
	if err == nil {
		err = batch.Commit(pebble.Sync)
	}
	return errors.Join(err, batch.Close(), fs.stopCause(), db.Close(), fs.stopCause())
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
		err = errors.Join(err, scan(db, []byte{tableEvents}, []byte{tableEvents + 1}, func(_, value []byte) (bool, error) {
			b, err := decodeBundle(value, nil)
			s.found.Events += int64(len(b.events))
			return err == nil, err
		}))
		release()
	}
	return errors.Join(err, acquireErr, j.Close())
}

// readOnlyFS opens for reading what others open for writing as well.
type readOnlyFS struct{ vfs.FS }

// OpenReadWrite opens a file for reading; one that is not there is empty.
func (f readOnlyFS) OpenReadWrite(name string, _ vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.Open(name, opts...)
	if errors.Is(err, fs.ErrNotExist) {
		return vfs.NewMemFile(nil), nil
	}
	return file, err
}
