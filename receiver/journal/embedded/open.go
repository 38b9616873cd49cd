// Package embedded implements [journal.Journal] on a Pebble store in a local directory.
//
// Concurrent appends share one fsync (commit.go). docs/design/001-embedded-journal.md describes the format and what
// survives what.
package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
)

// Journal is a journal in a local directory.
type Journal struct {
	opts     Options
	arrivals *arrivals
	// idle are requests that were answered.
	idle     sync.Pool
	reclaims chan struct{}
	// failed wakes the committer after cause was set.
	failed chan struct{}
	// closing is closed first by Close.
	closing   chan struct{}
	closeOnce sync.Once
	closeErr  error
	// begun is closed when the head start is over.
	begun chan struct{}
	loops sync.WaitGroup

	// cause is why the store is unavailable; nil = it is not.
	cause atomic.Pointer[error]
	// mu guards db and what belongs to it. It is taken before any other lock.
	mu sync.RWMutex
	// db is nil while there is no store; fs is the file system that it is on.
	db *pebble.DB
	fs *failStopFS
	// epoch is that of db.
	epoch uint64
	// life ends before db is closed; work counts what runs on db in the background.
	life context.Context //nolint:containedctx // it is the lifetime of db, not of a call
	die  context.CancelFunc
	work sync.WaitGroup
	// counted is closed when what the first db holds has been counted.
	counted chan struct{}

	queues  queueTable
	dedupe  dedupeClock
	age     ageClock
	seen    seenKeys
	space   space
	shares  journal.Shares
	deleted deletions // bundles
	dropped deletions // dead letters
	losses  losses
	// payloads is the memory of what is leased.
	payloads payloadMemory
	// settling serializes settlements, so that exactly one of them sees that an event is owed to nobody any more.
	settling sync.Mutex

	// durable is the last bundle on stable storage; consumers see nothing beyond it.
	durable atomic.Uint64
	// draft and nextBundle are used by the committer alone.
	draft      draft
	nextBundle uint64
	// stored counts all events that were ever stored.
	stored         uint64
	nextDeadLetter atomic.Uint64
	deadLetters    atomic.Int64
	letterBytes    atomic.Int64 // of the dead letters
	syncs          atomic.Int64
	// pause is the last one before the store was opened again, at repaired; the committer alone uses them.
	pause    time.Duration
	repaired time.Time
	// unsynced says that settlements wait for stable storage.
	unsynced atomic.Bool
}

var _ journal.Journal = (*Journal)(nil)

// Open opens the journal in o.Dir, or creates it. It refuses a journal of another format version.
func Open(o Options) (*Journal, error) {
	j, err := newJournal(o)
	if err != nil {
		return nil, err
	}
	j.loops.Go(j.commitLoop)
	j.loops.Go(j.housekeep)
	j.loops.Go(j.reclaimLoop)
	return j, nil
}

// newJournal opens the store. Nobody commits yet.
func newJournal(o Options) (*Journal, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if _, ours := o.FS.(privateFS); ours {
		if err := makePrivate(o.Dir, o.Logger); err != nil {
			return nil, fmt.Errorf("open journal %s: %w", o.Dir, err)
		}
	}
	j := &Journal{
		opts:     o,
		arrivals: newArrivals(),
		reclaims: make(chan struct{}, 1),
		failed:   make(chan struct{}, 1),
		closing:  make(chan struct{}),
		begun:    make(chan struct{}),
		counted:  make(chan struct{}),
	}
	j.queues.byName.Store(&map[string]*queue{})
	j.idle.New = func() any { return &request{done: make(chan reply, 1)} }
	j.seen.wanted = make(chan struct{}, 1)
	j.nextBundle = 1
	j.nextDeadLetter.Store(1)
	if err := j.openMending(); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", o.Dir, err)
	}
	time.AfterFunc(o.HeadStart, func() { close(j.begun) })
	return j, nil
}

// awaitHeadStart returns when the head start is over, or with the reason why it is not waited for.
func (j *Journal) awaitHeadStart(ctx context.Context) error {
	select {
	case <-j.begun:
		return nil
	case <-j.closing:
		return journal.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// openMending opens the store, and mends what is found to be damaged meanwhile.
func (j *Journal) openMending() error {
	for {
		err := j.openStore()
		if err == nil {
			return nil
		}
		mended, mendErr := j.mendTables()
		if !mended || mendErr != nil {
			return errors.Join(err, mendErr)
		}
	}
}

// openStore opens the store and reads the little that is kept in memory.
func (j *Journal) openStore() error {
	fs := newFailStopFS(j.opts.FS, j.fail)
	if err := j.opts.FS.MkdirAll(j.opts.Dir, folderMode); err != nil {
		return err
	}
	j.losses.look(j.opts.FS, j.opts.Dir)
	var err error
	if fs.marks, err = openMarks(j.opts.FS, j.opts.FS.PathJoin(j.opts.Dir, markName)); err != nil {
		j.opts.Logger.Warn("how much of the journal is durable cannot be marked; damage at its end could be taken for that of a crash", "error", err)
	}
	db, err := j.openFiles(fs)
	if err != nil {
		return errors.Join(err, fs.marks.close())
	}
	return j.begin(db, fs)
}

// openFiles opens the store's files.
func (j *Journal) openFiles(fs *failStopFS) (*pebble.DB, error) {
	newest, err := newestLog(j.opts.FS, j.opts.Dir)
	if err != nil {
		return nil, err
	}
	fs.reading.Store(&mender{
		storage: j.opts.FS, dir: j.opts.Dir, options: storeOptions(&j.opts), marks: fs.marks, newest: newest, report: j.found,
		lose: func(events int) { j.losses.add("", events) },
	})
	defer fs.reading.Store(nil)
	db, err := openPebble(j.opts.Dir, &j.opts, fs, j.suspect)
	if errors.Is(err, syscall.EAGAIN) {
		return nil, fmt.Errorf("another process has it open: %w", err)
	}
	if fs.isStopped() && err != nil {
		return nil, fs.stopCause() // err is what came of it
	}
	if err != nil && pebble.IsCorruptionError(err) && !isDamaged(err) {
		err = &DamagedError{File: j.opts.Dir, Err: err}
	}
	return db, err
}

// isDamaged says whether err names a damaged file.
func isDamaged(err error) bool {
	_, is := errors.AsType[*DamagedError](err)
	return is
}

// begin reads the little that is kept in memory, and makes db the store.
func (j *Journal) begin(db *pebble.DB, fs *failStopFS) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	count, err := j.load(db)
	if err = errors.Join(err, fs.stopCause()); err != nil {
		return errors.Join(err, count.close(), db.Close(), fs.marks.close())
	}
	first := j.life == nil
	j.db, j.fs = db, fs
	j.life, j.die = context.WithCancel(context.Background())
	j.space.forget()
	life := j.life
	if !first {
		count.run(life) // nobody waits for a start, and who empties the journal must not take it for empty
	}
	j.work.Go(func() {
		_ = j.awaitHeadStart(life) // what follows looks itself whether life has ended
		if first {
			count.run(life)
			close(j.counted)
		}
		if err := j.seen.load(life, db); err != nil {
			j.opts.Logger.Warn("dedupe keys could not be read ahead; each will be looked up", "error", err)
		}
	})
	j.cause.Store(nil)
	if err := fs.stopCause(); err != nil { // since it was last asked
		j.fail(err)
	}
	return nil
}

// openPebble opens the store. Until it is open no compaction begins: Pebble would wait for it, seconds if it is a large one. A least
// number of 0 is not what Pebble documents, but what its scheduler takes. suspect is told of tables that cannot be read.
func openPebble(dir string, o *Options, fs *failStopFS, suspect func(path string, err error)) (*pebble.DB, error) {
	var opened atomic.Bool
	defer opened.Store(true)
	compactions := func() (least, most int) {
		if !opened.Load() {
			return 0, 1
		}
		return 1, 2
	}
	return pebble.Open(dir, pebbleOptions(o, fs, &storeLogger{log: o.Logger, fs: fs, onDamage: suspect}, compactions))
}

// closeStore ends what runs on the store and closes it.
func (j *Journal) closeStore() error {
	j.mu.Lock()
	j.die()
	j.mu.Unlock()
	j.work.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.db == nil {
		return nil
	}
	err := errors.Join(j.db.Close(), j.fs.marks.close())
	j.db = nil
	return err
}

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
	if err := db.Set([]byte(metaEpoch), encodeNumbers(j.epoch), pebble.NoSync); err != nil {
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
	switch value, closer, err := db.Get([]byte(metaFormat)); {
	case errors.Is(err, pebble.ErrNotFound):
		return db.Set([]byte(metaFormat), []byte(formatVersion), pebble.Sync)
	case err != nil:
		return err
	default:
		found := string(value)
		if err := closer.Close(); err != nil {
			return err
		}
		if found == formatBefore {
			return db.Set([]byte(metaFormat), []byte(formatVersion), pebble.Sync)
		}
		if found != formatVersion {
			return fmt.Errorf("journal has format version %q, this release reads %q", found, formatVersion)
		}
		return nil
	}
}

// loadNumbers sets the next bundle and dead letter. They never go back, also when the tail of the store was lost.
func (j *Journal) loadNumbers(db *pebble.DB) error {
	next, err := getNumbers(db, metaNext, 3)
	if err != nil {
		return err
	}
	nextDead, err := getNumbers(db, metaNextDead, 1)
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
	epoch, err := getNumbers(db, metaEpoch, 1)
	if err != nil {
		return 0, err
	}
	if epoch[0] > 0 {
		return epoch[0], nil
	}
	key, err := lastKey(db, []byte{tableSchedule}, []byte{tableSchedule + 1})
	if key == nil || err != nil { // the store is new
		return 0, err
	}
	return toMillis(j.opts.Now()), nil
}

// lastKey returns the last key of a range, or nil.
func lastKey(db *pebble.DB, lower, upper []byte) ([]byte, error) {
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

// numbers are those of the last bundle and the last dead letter.
type numbers struct{ bundle, letter uint64 }

// lastNumbers returns the largest that are in use: where what says which are the next was lost, none may be used twice.
func lastNumbers(db *pebble.DB) (n numbers, err error) {
	for _, table := range []byte{tableEvents, tableDeadLetters, tablePayloads} {
		key, err := lastKey(db, []byte{table}, []byte{table + 1})
		if err != nil {
			return n, err
		}
		number, _ := lastNumber(key)
		if table == tableEvents {
			n.bundle = number
		} else {
			n.letter = max(n.letter, number)
		}
	}
	return n, nil
}

// getNumbers reads up to count numbers; those that are not there are zero.
func getNumbers(db *pebble.DB, name string, count int) ([]uint64, error) {
	numbers := make([]uint64, count)
	value, closer, err := db.Get([]byte(name))
	if errors.Is(err, pebble.ErrNotFound) {
		return numbers, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close() //nolint:errcheck // it only gives the block back
	for i := range numbers {
		if len(value) == 0 && i > 0 {
			break // an earlier release stored fewer
		}
		n, size := binary.Uvarint(value)
		if size <= 0 {
			return nil, fmt.Errorf("%s: %w", name, errMalformed)
		}
		numbers[i], value = n, value[size:]
	}
	return numbers, nil
}

// acquire returns the store, which stays open until release is called. The error is [journal.ErrClosed] or
// wraps [journal.ErrUnavailable].
func (j *Journal) acquire() (db *pebble.DB, release func(), err error) {
	if err := j.refusal(); err != nil {
		return nil, nil, err
	}
	j.mu.RLock()
	if j.db == nil {
		j.mu.RUnlock()
		return nil, nil, journal.ErrUnavailable
	}
	return j.db, j.mu.RUnlock, nil
}

// refusal says why nothing can be done now, or returns nil.
func (j *Journal) refusal() error {
	select {
	case <-j.closing:
		return journal.ErrClosed
	default:
	}
	if cause := j.cause.Load(); cause != nil {
		return fmt.Errorf("%w: %w", journal.ErrUnavailable, *cause)
	}
	return nil
}

// Queue returns the queue of one sink.
func (j *Journal) Queue(sink string) journal.Queue { return j.queues.get(j, sink) }

// flush moves what is in the log into tables, so that the next opening has no log to read again. Nothing depends on it.
func (j *Journal) flush() {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.db == nil || j.cause.Load() != nil {
		return
	}
	if err := j.db.Flush(); err != nil {
		j.opts.Logger.Warn("journal could not be flushed before it is closed", "error", err)
	}
}

// Close stops everything. What was acknowledged stays; leases are forgotten. Closing twice is allowed.
func (j *Journal) Close() error {
	j.closeOnce.Do(func() {
		close(j.closing)
		j.loops.Wait()
		j.flush()
		j.closeErr = j.closeStore()
	})
	return j.closeErr
}
