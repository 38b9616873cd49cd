package embedded

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/space"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// group is what one fsync makes durable. The committer builds it; after that it is read only.
type group struct {
	j       *Journal
	db      *pebble.DB
	fs      *failstop.FS
	batch   *pebble.Batch
	waiters []waiter
	// generation is that of the dedupe keys that the group writes.
	generation uint32
	*draft
	// sinks counts the events that the group adds per sink.
	sinks       map[*queue]int64
	deadLetters int64
	letterBytes int64
	dropped     space.Deletions
	usage       storeUsage
	durable     uint64
}

type waiter struct {
	request *request
	reply   reply
}

// newGroup starts a group. The committer is the one that replaces the store, so the group may use it without a lock.
func (j *Journal) newGroup() *group {
	j.draft.reset()
	return &group{j: j, db: j.db, fs: j.fs, batch: j.db.NewBatch(), draft: &j.draft, usage: storeUsage{o: &j.opts, db: j.db}, sinks: map[*queue]int64{}}
}

func (g *group) size() int { return g.batch.Len() + g.bundle.Size() }

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
		g.dropBundle()
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
	if !g.bundle.Fits(&e.Event) {
		if err := g.endBundle(); err != nil {
			return err
		}
	}
	g.addEvent(e)
	return nil
}

// endBundle writes the events that were collected, and what each sink is owed of them.
func (g *group) endBundle() error {
	if g.bundle.Count() == 0 {
		return nil
	}
	number := g.j.nextBundle
	g.j.nextBundle++
	g.j.stored += uint64(g.bundle.Count())
	g.debts = g.debts[:0]
	for q, events := range g.owed {
		if err := g.writeOwed(q, number, format.Owed{Events: events}); err != nil {
			return err
		}
		g.debts = append(g.debts, format.Debt{Sink: q.id, Events: events})
	}
	err := g.writeBundle(number)
	g.dropBundle()
	return err
}

// writeBundle writes the events into the batch, without a copy on the way.
func (g *group) writeBundle(number uint64) error {
	key := format.BundleKey(number)
	op := g.batch.SetDeferred(len(key), g.bundle.Prepare(g.debts))
	copy(op.Key, key)
	g.bundle.Fill(op.Value)
	return op.Finish()
}

func (g *group) writeOwed(q *queue, bundle uint64, o format.Owed) error {
	if !q.stored {
		if err := g.j.queues.writeNames(g.fs, g.j.opts.Dir); err != nil {
			return err
		}
		if err := g.batch.Set(format.SinkKey(q.name), format.EncodeNumbers(uint64(q.id)), nil); err != nil {
			return err
		}
		q.stored = true
	}
	g.sinks[q] += int64(o.Events.Count())
	return g.batch.Set(format.OwedKey(q.id, bundle), o.Encode(), nil)
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
		b.Set(format.NumberKey(format.TableDeadLetters, id), record, nil),
		b.Set(format.NumberKey(format.TablePayloads, id), payload, nil),
	)
}

// claim reports whether any of the keys was seen before; if none was, it stores them all.
func (g *group) claim(keys []journal.KeyHash) (duplicate bool, err error) {
	for _, k := range keys {
		seen, err := g.seen(k)
		if seen || err != nil {
			return seen, err
		}
	}
	for _, k := range keys {
		g.keys[k] = struct{}{}
		g.j.seen.Add(g.generation, k)
		if err := g.batch.Set(format.DedupeKey(g.generation, k), nil, nil); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (g *group) seen(k journal.KeyHash) (bool, error) {
	if _, ok := g.keys[k]; ok {
		return true, nil
	}
	for _, generation := range []uint32{g.generation, g.generation - 1} {
		if g.j.seen.Excludes(generation, k) {
			continue
		}
		if seen, err := store.Has(g.db, format.DedupeKey(generation, k)); seen || err != nil {
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
	g.dropped.Add(id, size)
	return true, errors.Join(
		g.batch.Delete(format.NumberKey(format.TableDeadLetters, id), nil),
		g.batch.Delete(format.NumberKey(format.TablePayloads, id), nil),
	)
}

// seal completes the batch.
func (g *group) seal() {
	err := g.endBundle()
	g.durable = g.j.nextBundle - 1
	if g.batch.Empty() && err == nil {
		return
	}
	next := format.EncodeNumbers(g.j.nextBundle, g.j.nextDeadLetter.Load(), g.j.stored)
	if err = errors.Join(err, g.batch.Set([]byte(format.MetaNext), next, nil)); err != nil {
		g.j.fail(err)
	}
	g.j.space.Add(int64(g.batch.Len()))
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
	g.j.dropped.Merge(&g.dropped)
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
func (g *group) failed() bool { return g.fs.Stopped() || g.j.cause.Load() != nil }

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
