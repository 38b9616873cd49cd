package embedded

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
)

// group is what one fsync makes durable. The committer builds it; after that it is read only.
type group struct {
	j       *Journal
	db      *pebble.DB
	fs      *failStopFS
	batch   *pebble.Batch
	waiters []waiter
	// generation is that of the dedupe keys that the group writes.
	generation uint32
	*draft
	// sinks counts the events that the group adds per sink.
	sinks       map[*queue]int64
	deadLetters int64
	letterBytes int64
	dropped     deletions
	durable     uint64
}

// maxDraftKeys is more than a group of single events writes.
const maxDraftKeys = 512

// draft is what is known of a group until it is complete. The memory is that of the group before.
type draft struct {
	// keys are the dedupe keys that the group writes, and resolved the dead letters that it removes: neither can be
	// seen in the store yet.
	keys     map[dedupeHash]struct{}
	resolved map[uint64]struct{}
	// bundle holds the events that are not in the batch yet.
	bundle bundleWriter
}

func (d *draft) reset() {
	if d.keys == nil || len(d.keys)+len(d.resolved) > maxDraftKeys { // a large map takes long to clear, also when it is empty
		d.keys, d.resolved = map[dedupeHash]struct{}{}, map[uint64]struct{}{}
	}
	clear(d.keys)
	clear(d.resolved)
	d.bundle.reset()
}

type waiter struct {
	request *request
	reply   reply
}

// newGroup starts a group. The committer is the one that replaces the store, so the group may use it without a lock.
func (j *Journal) newGroup() *group {
	j.draft.reset()
	return &group{j: j, db: j.db, fs: j.fs, batch: j.db.NewBatch(), draft: &j.draft, sinks: map[*queue]int64{}}
}

func (g *group) size() int { return g.batch.Len() + g.bundle.bytes }

// add takes r into the group, or answers it when it cannot be taken.
func (g *group) add(r *request) {
	if len(r.entries)+len(r.deadLetters) > 0 {
		if err := g.checkSpace(r); err != nil {
			r.answer(reply{err: err})
			return
		}
	}
	if len(g.waiters) == 0 {
		g.generation = g.j.dedupe.now(&g.j.opts)
	}
	w := waiter{request: r}
	if err := g.write(r, &w.reply); err != nil {
		// The batch may hold a part of r. Nothing of the group is written, and r may be used again from here on.
		g.bundle.reset()
		g.j.fail(err)
		r.answer(reply{err: g.j.unavailable()})
		return
	}
	g.waiters = append(g.waiters, w)
}

func (g *group) write(r *request, a *reply) error {
	for i := range r.entries {
		if err := g.writeEntry(&r.entries[i], &a.receipt); err != nil {
			return err
		}
	}
	for i := range r.deadLetters {
		if err := g.writeDeadLetter(&r.deadLetters[i], &a.receipt); err != nil {
			return err
		}
	}
	for _, id := range r.resolves {
		removed, err := g.resolve(id)
		if err != nil {
			return err
		}
		if removed {
			a.resolved++
		}
	}
	return nil
}

func (g *group) writeEntry(e *pendingEntry, receipt *journal.Receipt) error {
	duplicate, err := g.claim(e.keys)
	if err != nil {
		return err
	}
	if duplicate {
		receipt.Duplicates++
		return nil
	}
	receipt.Accepted++
	if len(e.sinks) == 0 {
		return nil
	}
	if !g.bundle.fits(e) {
		if err := g.endBundle(); err != nil {
			return err
		}
	}
	g.bundle.add(e)
	return nil
}

// endBundle writes the events that were collected, and what each sink is owed of them.
func (g *group) endBundle() error {
	if len(g.bundle.events) == 0 {
		return nil
	}
	number := g.j.nextBundle
	g.j.nextBundle++
	g.j.stored += uint64(len(g.bundle.events))
	for q, events := range g.bundle.owed {
		if err := g.writeOwed(q, number, owed{events: events}); err != nil {
			return err
		}
	}
	err := g.bundle.write(g.batch, number)
	g.bundle.reset()
	return err
}

func (g *group) writeOwed(q *queue, bundle uint64, o owed) error {
	if !q.stored {
		if err := g.j.queues.writeNames(g.fs, g.j.opts.Dir); err != nil {
			return err
		}
		if err := g.batch.Set(sinkKey(q.name), encodeNumbers(uint64(q.id)), nil); err != nil {
			return err
		}
		q.stored = true
	}
	g.sinks[q] += int64(o.events.count())
	return g.batch.Set(owedKey(q.id, bundle), o.encode(), nil)
}

func (g *group) writeDeadLetter(d *pendingDeadLetter, receipt *journal.Receipt) error {
	duplicate, err := g.claim(d.keys)
	if err != nil {
		return err
	}
	if duplicate {
		receipt.Duplicates++
		return nil
	}
	receipt.DeadLettered++
	g.deadLetters++
	g.letterBytes += d.size()
	id := g.j.nextDeadLetter.Add(1) - 1
	return setDeadLetter(g.batch, id, d.record, d.payload)
}

func setDeadLetter(b *pebble.Batch, id uint64, record, payload []byte) error {
	return errors.Join(
		b.Set(numberKey(tableDeadLetters, id), record, nil),
		b.Set(numberKey(tablePayloads, id), payload, nil),
	)
}

// claim reports whether any of the keys was seen before; if none was, it stores them all.
func (g *group) claim(keys []dedupeHash) (duplicate bool, err error) {
	for _, k := range keys {
		seen, err := g.seen(k)
		if seen || err != nil {
			return seen, err
		}
	}
	for _, k := range keys {
		g.keys[k] = struct{}{}
		g.j.seen.add(g.generation, k)
		if err := g.batch.Set(dedupeKey(g.generation, k), nil, nil); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (g *group) seen(k dedupeHash) (bool, error) {
	if _, ok := g.keys[k]; ok {
		return true, nil
	}
	for _, generation := range []uint32{g.generation, g.generation - 1} {
		if g.j.seen.excludes(generation, k) {
			continue
		}
		if seen, err := has(g.db, dedupeKey(generation, k)); seen || err != nil {
			return seen, err
		}
	}
	return false, nil
}

// resolve removes a dead letter and reports whether there was one.
func (g *group) resolve(id uint64) (bool, error) {
	if _, ok := g.resolved[id]; ok {
		return false, nil
	}
	size, err := letterSize(g.db, id)
	if errors.Is(err, journal.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	g.resolved[id] = struct{}{}
	g.deadLetters--
	g.letterBytes -= size
	g.dropped.add(id, size)
	return true, errors.Join(
		g.batch.Delete(numberKey(tableDeadLetters, id), nil),
		g.batch.Delete(numberKey(tablePayloads, id), nil),
	)
}

// has reports whether key is in the store.
func has(db *pebble.DB, key []byte) (bool, error) {
	_, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, closer.Close()
}

// seal completes the batch.
func (g *group) seal() {
	err := g.endBundle()
	g.durable = g.j.nextBundle - 1
	if g.batch.Empty() && err == nil {
		return
	}
	next := encodeNumbers(g.j.nextBundle, g.j.nextDeadLetter.Load(), g.j.stored)
	if err = errors.Join(err, g.batch.Set([]byte(metaNext), next, nil)); err != nil {
		g.j.fail(err)
	}
	g.j.space.add(int64(g.batch.Len()))
}

// finish answers the waiters after the wait for stable storage. A store that has failed meanwhile acknowledges nothing.
func (g *group) finish() {
	if g.failed() {
		g.abandon(g.j.unavailable())
		return
	}
	g.j.durable.Store(g.durable)
	g.j.deadLetters.Add(g.deadLetters)
	g.j.letterBytes.Add(g.letterBytes)
	g.j.dropped.merge(&g.dropped)
	for q, n := range g.sinks {
		q.pending.Add(n)
		q.wake()
	}
	for i := range g.waiters {
		g.waiters[i].request.answer(g.waiters[i].reply)
	}
	g.release()
}

// failed reports whether the group's store has failed. It asks the file system, which knows first.
func (g *group) failed() bool { return g.fs.isStopped() || g.j.cause.Load() != nil }

// abandon answers the waiters with err.
func (g *group) abandon(err error) {
	for i := range g.waiters {
		g.waiters[i].request.answer(reply{err: err})
	}
	g.waiters = nil
	g.release()
}

func (g *group) release() {
	if err := g.batch.Close(); err != nil {
		g.j.opts.Logger.Warn("journal batch did not close", "error", err)
	}
}
