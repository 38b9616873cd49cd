// Package embedded keeps a history in a folder of its own, in a Pebble store beside that of the journal. Events lie in compressed blocks of
// neighbours, with an index of hashes: what an event is looked up by is in clear text in its payload alone.
package embedded

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
)

const (
	// formatFile names the format to releases that must not open it.
	formatFile = "FORMAT"
	// reopenPause is the shortest time between two openings of a store that has failed.
	reopenPause = 5 * time.Second
	// trimInterval is how often what is too old is removed.
	trimInterval = time.Minute
)

// Store is a history in a local folder.
type Store struct {
	opts Options
	z    *compressor
	// id names the store to cursors.
	id string

	// writing serializes what changes the store.
	writing sync.Mutex
	// mu guards db and fs, and is held for reading while db is used.
	mu     sync.RWMutex
	db     *pebble.DB
	fs     *failstop.FS
	opened time.Time

	// next is the next block, and ceiling no earlier than the acceptance of any event that is stored; who writes uses them.
	next    uint64
	ceiling time.Time
	// known is the ceiling when the store was opened: what was accepted by then may be there already.
	known    time.Time
	measured time.Time
	refusals uint32

	events  atomic.Int64
	used    atomic.Int64
	oldest  atomic.Int64 // milliseconds
	problem atomic.Pointer[string]

	closing chan struct{}
	once    sync.Once
	loops   sync.WaitGroup
}

var _ history.Store = (*Store)(nil)

// Open opens the store in o.Dir, or creates it. The error is [history.ErrNewer] for a store of a later release, which is left as it is.
func Open(o Options) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if _, ours := o.FS.(folder.PrivateFS); ours {
		if err := folder.MakePrivate(o.Dir, o.Logger); err != nil {
			return nil, err
		}
	}
	z, err := newCompressor()
	if err != nil {
		return nil, err
	}
	s := &Store{opts: o, z: z, closing: make(chan struct{})}
	if err := s.open(); err != nil {
		return nil, err
	}
	s.loops.Go(s.housekeep)
	return s, nil
}

// open opens the store and reads the little that is kept in memory.
func (s *Store) open() error {
	s.opened = time.Now()
	if err := s.opts.FS.MkdirAll(s.opts.Dir, folder.Mode); err != nil {
		return err
	}
	if err := checkFormat(s.opts.FS, s.opts.Dir); err != nil {
		return err
	}
	fs := failstop.New(s.opts.FS, nil, nil)
	db, err := openPebble(&s.opts, fs)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return fmt.Errorf("another process has the history in %s open: %w", s.opts.Dir, err)
	case fs.Stopped() && err != nil:
		return fs.Cause()
	case err != nil:
		return errors.New(oneLine(err.Error()))
	}
	if err := errors.Join(s.load(db), fs.Cause()); err != nil {
		return errors.Join(err, db.Close())
	}
	s.mu.Lock()
	s.db, s.fs = db, fs
	s.mu.Unlock()
	return nil
}

// checkFormat refuses a store of a later release, and marks a new one.
func checkFormat(fs vfs.FS, dir string) error {
	path := fs.PathJoin(dir, formatFile)
	file, err := fs.Open(path)
	if err != nil {
		file, err := fs.Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			return err
		}
		_, err = file.Write(strconv.AppendInt(nil, formatVersion, 10))
		return errors.Join(err, file.Sync(), file.Close())
	}
	text, err := io.ReadAll(io.LimitReader(file, 32))
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	version, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if len(text) == 0 { // the machine stopped before it was written
		return nil
	}
	if err != nil || version > formatVersion {
		return fmt.Errorf("%w: %s in %s says %q, and this release knows %d; run that release again, or move the folder away", history.ErrNewer, formatFile, dir, text, formatVersion)
	}
	return nil
}

// load reads what is known of the store, and gives a new one a name.
func (s *Store) load(db *pebble.DB) error {
	name, err := get(db, []byte(metaStore))
	if errors.Is(err, pebble.ErrNotFound) {
		name = []byte(rand.Text())
		err = db.Set([]byte(metaStore), name, pebble.Sync)
	}
	if err != nil {
		return err
	}
	s.id, s.next = string(name), 1
	value, err := get(db, []byte(metaNext))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	r := reader{rest: value}
	s.next = r.uvarint()
	s.events.Store(int64(r.uvarint()))
	s.ceiling = r.time()
	s.known = s.ceiling
	s.noteOldest(db)
	return errors.Join(err, r.err)
}

// state returns the value of metaNext.
func (s *Store) state() []byte {
	out := binary.AppendUvarint(nil, s.next)
	out = binary.AppendUvarint(out, uint64(max(s.events.Load(), 0)))
	return binary.AppendUvarint(out, millis(s.ceiling))
}

func get(db *pebble.DB, key []byte) ([]byte, error) {
	value, closer, err := db.Get(key)
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), value...), closer.Close()
}

var errClosed = errors.New("the history is closed")

// acquire returns the tables, which stay open until release is called.
func (s *Store) acquire() (db *pebble.DB, release func(), err error) {
	s.mu.RLock()
	if s.db == nil {
		s.mu.RUnlock()
		return nil, nil, errClosed
	}
	if cause := s.fs.Cause(); cause != nil {
		s.mu.RUnlock()
		return nil, nil, fmt.Errorf("the history cannot be written: %w", cause)
	}
	return s.db, s.mu.RUnlock, nil
}

// revive opens a store anew that could not be written, at most every reopenPause. Who writes calls it.
func (s *Store) revive() {
	s.mu.Lock()
	failed := s.fs != nil && s.fs.Stopped() && time.Since(s.opened) >= reopenPause
	if failed && s.db != nil {
		_ = s.db.Close() // it has failed; what reached the device is read again
		s.db = nil
	}
	s.mu.Unlock()
	select {
	case <-s.closing:
		return
	default:
	}
	if !failed {
		return
	}
	if err := s.open(); err != nil {
		s.opts.Logger.Warn("the history could not be opened again", "error", err)
	}
}

// Stats implements [history.Keeper].
func (s *Store) Stats() history.Stats {
	st := history.Stats{Events: max(s.events.Load(), 0), UsedBytes: s.used.Load(), MaxBytes: s.opts.MaxBytes}
	if ms := s.oldest.Load(); ms > 0 && st.Events > 0 {
		st.Oldest = time.UnixMilli(ms).UTC()
	}
	if text := s.problem.Load(); text != nil {
		st.Problem = *text
	}
	return st
}

// housekeep removes what is too old, from time to time.
func (s *Store) housekeep() {
	tick := time.NewTicker(trimInterval)
	defer tick.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		select {
		case <-s.closing:
			return
		case <-tick.C:
			if err := s.Trim(ctx); err != nil {
				s.opts.Logger.Warn("what is too old could not be removed from the history", "error", err)
			}
		}
	}
}

// Close stops everything. Closing twice is allowed.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closing)
		s.loops.Wait()
		s.writing.Lock()
		defer s.writing.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.db != nil {
			err = s.db.Close()
			s.db = nil
		}
	})
	return err
}
