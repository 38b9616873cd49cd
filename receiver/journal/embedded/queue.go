package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// queue is the queue of one sink.
type queue struct {
	j    *Journal
	name string
	id   uint32
	// stored says that the store knows the id; the committer alone uses it.
	stored bool
	// pending counts what is owed; while the store is being counted it may be below zero.
	pending atomic.Int64
	// awake wakes the consumer.
	awake chan struct{}

	// mu guards the rest.
	mu sync.Mutex
	// open holds the bundles of which something was handed out and not settled.
	open map[uint64]*openBundle
	// leases counts all leases that there ever were.
	leases uint64
	// cursor is the sequence of the first event in tableOwed that was not looked at.
	cursor uint64
	// scheduled counts what tableSchedule holds of the present epoch.
	scheduled int
	// dueFrom is a lower bound in the present epoch of tableSchedule: what is before it is leased or gone; nil = its start.
	dueFrom []byte
	// oldest is a lower bound of the bundles that are owed.
	oldest uint64
}

// openBundle is what settling needs to know.
type openBundle struct {
	number uint64
	format.Owed
	leases []lease
	// touched says that the settlement under way has changed it.
	touched bool
	// others are the other sinks that something of the bundle was owed to at first.
	others []uint32
	// size is that of the stored bundle, in bytes.
	size int
}

// queueTable holds the queues by sink name. There is no lock on the way of an append.
type queueTable struct {
	byName atomic.Pointer[map[string]*queue]

	mu     sync.Mutex // of changes
	lastID uint32
}

// get returns the queue of a sink and makes one for a new name. The store learns of it with the first event.
func (t *queueTable) get(j *Journal, name string) *queue {
	if q := t.known()[name]; q != nil {
		return q
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.known()[name]
	if q == nil {
		t.lastID++
		q = newQueue(j, name, t.lastID)
		more := maps.Clone(t.known())
		more[name] = q
		t.byName.Store(&more)
	}
	return q
}

// writeNames stores the ids of all sinks once more, apart from the store.
func (t *queueTable) writeNames(storage vfs.FS, dir string) error {
	ids := map[string]uint32{}
	for name, q := range t.known() {
		ids[name] = q.id
	}
	return folder.WriteSinkNames(storage, dir, ids)
}

// known returns the queues that there are, not to be changed.
func (t *queueTable) known() map[string]*queue { return *t.byName.Load() }

func newQueue(j *Journal, name string, id uint32) *queue {
	q := &queue{j: j, name: name, id: id, awake: make(chan struct{}, 1)}
	q.reset()
	return q
}

func (t *queueTable) all() []*queue { return slices.Collect(maps.Values(t.known())) }

func (t *queueTable) wakeAll() {
	for _, q := range t.all() {
		q.wake()
	}
}

// load reads the sinks that the store knows, and sets every queue to its start: all leases are forgotten.
func (t *queueTable) load(j *Journal, db *pebble.DB) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	queues := maps.Clone(t.known())
	for _, q := range queues {
		q.stored = false
	}
	err := store.Scan(db, []byte{format.TableSinks}, []byte{format.TableSinks + 1}, func(key, value []byte) (bool, error) {
		name, id, err := format.DecodeSink(key, value)
		if err != nil {
			return false, err
		}
		q, ok := queues[name]
		if !ok {
			q = newQueue(j, name, id)
			queues[name] = q
		}
		q.stored = true
		t.lastID = max(t.lastID, q.id)
		return true, nil
	})
	again, namesErr := folder.ReadSinkNames(j.opts.FS, j.opts.Dir)
	for name, id := range again {
		if queues[name] == nil {
			queues[name] = newQueue(j, name, id) // the store learns of it again with the next event
		}
		t.lastID = max(t.lastID, id)
	}
	lastID, lastErr := lastSink(db)
	t.lastID = max(t.lastID, lastID)
	err = errors.Join(err, namesErr, lastErr)
	for _, q := range queues {
		q.reset()
	}
	t.byName.Store(&queues)
	return err
}

// lastSink returns the largest id that something is owed to. No other sink may get it, whether or not its name is known.
func lastSink(db *pebble.DB) (uint32, error) {
	key, err := store.LastKey(db, []byte{format.TableOwed}, []byte{format.TableOwed + 1})
	id, _, _ := format.ParseOwedKey(key)
	return id, err
}

func (q *queue) reset() {
	q.pending.Store(0)
	q.rewind()
}

// rewind ends all leases and begins anew with the oldest that is owed.
func (q *queue) rewind() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = map[uint64]*openBundle{}
	q.cursor, q.oldest = 0, 0
	q.dueFrom, q.scheduled = nil, 0
}

func (q *queue) wake() {
	select {
	case q.awake <- struct{}{}:
	default:
	}
}

// Fetch leases up to limit deliveries that are due: first those whose time has come, then the others in the order of their
// sequences, whether they are new or were scheduled before a restart. It waits while there are none, and while the storage
// is unavailable.
func (q *queue) Fetch(ctx context.Context, limit journal.Limit) ([]journal.Delivery, error) {
	if err := q.j.awaitHeadStart(ctx); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		deliveries, next := q.lease(limit)
		if len(deliveries) > 0 {
			return deliveries, nil
		}
		if err := q.wait(ctx, next); err != nil {
			return nil, err
		}
	}
}

// wait returns when there may be something due. A zero next says that nothing is scheduled.
func (q *queue) wait(ctx context.Context, next time.Time) error {
	var due <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(next.Sub(q.j.opts.Now()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-q.awake:
		return nil
	case <-due:
		return nil
	case <-q.j.closing:
		return journal.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lease returns what is due now, or when something will be.
func (q *queue) lease(limit journal.Limit) (deliveries []journal.Delivery, next time.Time) {
	db, release, err := q.j.acquire()
	if err != nil {
		return nil, next // repair wakes the queue, Close ends the wait
	}
	defer release()
	q.mu.Lock()
	defer q.mu.Unlock()
	p := picker{q: q, db: db, limit: limit, now: format.ToMillis(q.j.opts.Now()), durable: q.j.durable.Load()}
	err = p.run()
	if err != nil {
		q.j.failOrRecheck(fmt.Errorf("read queue: %w", err))
	}
	if p.next != 0 {
		next = format.FromMillis(p.next)
	}
	return p.deliveries, next
}
