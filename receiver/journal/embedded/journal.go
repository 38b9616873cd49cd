// Package embedded implements [journal.Journal] on a Pebble store in a local directory.
//
// Concurrent appends share one fsync (commit.go). docs/design/001-embedded-journal.md describes the format and what
// survives what.
package embedded

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/age"
	"github.com/mailvane/mailvane/receiver/journal/embedded/damage"
	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
	"github.com/mailvane/mailvane/receiver/journal/embedded/keyfilter"
	"github.com/mailvane/mailvane/receiver/journal/embedded/space"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
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
	// headStartOver is closed when the head start is over.
	headStartOver chan struct{}
	loops         sync.WaitGroup

	// cause is why the store is unavailable; nil = it is not.
	cause atomic.Pointer[error]
	// mu guards db and what belongs to it. It is taken before any other lock.
	mu sync.RWMutex
	// db is nil while there is no store; fs is the file system that it is on, and marks say how much of it is durable.
	db    *pebble.DB
	fs    *failstop.FS
	marks *damage.Marks
	// epoch is that of db.
	epoch uint64
	// storeCtx ends before db is closed; work counts what runs on db in the background.
	storeCtx    context.Context //nolint:containedctx // it is the lifetime of db, not of a call
	cancelStore context.CancelFunc
	work        sync.WaitGroup
	// counted is closed when what the first db holds has been counted.
	counted chan struct{}

	queues  queueTable
	dedupe  dedupeClock
	age     age.Clock
	seen    *keyfilter.Filters
	space   *space.Account
	deleted space.Deletions // bundles
	dropped space.Deletions // dead letters
	losses  damage.Losses
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
	if _, ours := o.FS.(folder.PrivateFS); ours {
		if err := folder.MakePrivate(o.Dir, o.Logger); err != nil {
			return nil, err
		}
	}
	j := &Journal{
		opts:          o,
		arrivals:      newArrivals(),
		reclaims:      make(chan struct{}, 1),
		failed:        make(chan struct{}, 1),
		closing:       make(chan struct{}),
		headStartOver: make(chan struct{}),
		counted:       make(chan struct{}),
		space:         space.New(space.Limits{MaxBytes: o.MaxBytes, MinFreeBytes: o.MinFreeBytes}, o.Now, o.Logger),
		seen:          keyfilter.New(),
	}
	j.queues.byName.Store(&map[string]*queue{})
	j.idle.New = func() any { return &request{done: make(chan reply, 1)} }
	j.nextBundle = 1
	j.nextDeadLetter.Store(1)
	if err := j.openRepairing(); err != nil {
		return nil, &store.Error{Err: err}
	}
	time.AfterFunc(o.HeadStart, func() { close(j.headStartOver) })
	return j, nil
}

// awaitHeadStart returns when the head start is over, or with the reason why it is not waited for.
func (j *Journal) awaitHeadStart(ctx context.Context) error {
	select {
	case <-j.headStartOver:
		return nil
	case <-j.closing:
		return journal.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
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
