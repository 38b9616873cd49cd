package embedded

import (
	"runtime"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
)

// maxGroupBytes bounds a group, so that one fsync stays short and a group fits into a memtable.
const maxGroupBytes = 4 << 20

const (
	// crowd is how many appends a group must have held for the next one to wait for more.
	crowd = 8
	// maxLinger is how long it waits: an fsync and the wake-ups that go with it cost more than that many times a second.
	maxLinger = 400 * time.Microsecond
)

// commitLoop is the committer: the one goroutine that stores appends.
//
// While one group of appends waits for its fsync, the next one is built; it is written when the first is done. So an
// fsync carries everything that arrived during the one before it.
func (j *Journal) commitLoop() {
	synced := make(chan struct{}, 1)
	synced <- struct{}{}
	g := j.newGroup()
	last := 0
	defer j.arrivals.close(journal.ErrClosed)
	for {
		j.takeArrivals(g)
		ready := synced
		if len(g.waiters) == 0 {
			ready = nil
		}
		select {
		case <-j.arrivals.some:
		case <-ready:
			j.gather(g, last)
			last = len(g.waiters)
			j.commit(g, synced)
			g = j.newGroup()
		case <-j.failed:
			if j.cause.Load() == nil {
				continue // that store was replaced meanwhile
			}
			g.abandon(j.unavailable())
			j.arrivals.refuse(j.unavailable())
			<-synced
			if !j.repair() {
				return
			}
			synced <- struct{}{}
			g = j.newGroup()
		case <-j.closing:
			g.abandon(journal.ErrClosed)
			<-synced
			return
		}
	}
}

// gather adds what is being submitted right now. Whoever was just answered may be about to submit again: as long as
// yielding to them brings more, it is worth more than the time. Where many submit, it is worth a moment more: last is how many
// the group before held.
func (j *Journal) gather(g *group, last int) {
	for before := -1; before < len(g.waiters) && g.size() < maxGroupBytes; {
		before = len(g.waiters)
		runtime.Gosched()
		j.takeArrivals(g)
	}
	more := 2*last - len(g.waiters)
	if last < crowd || more <= 0 || g.size() >= maxGroupBytes {
		return
	}
	linger := time.NewTimer(maxLinger)
	defer linger.Stop()
	j.arrivals.wait(more)
	select {
	case <-j.arrivals.some:
	case <-linger.C:
	}
	j.arrivals.wait(1)
	j.takeArrivals(g)
}

// takeArrivals adds what waits to be taken, as far as there is room.
func (j *Journal) takeArrivals(g *group) {
	for g.size() < maxGroupBytes {
		r := j.arrivals.next()
		if r == nil {
			return
		}
		g.add(r)
	}
}

// commit writes g and has it answered when it is on stable storage; synced then gets its token back.
func (j *Journal) commit(g *group, synced chan<- struct{}) {
	g.seal()
	if g.failed() {
		g.abandon(j.unavailable())
		synced <- struct{}{}
		return
	}
	empty := g.batch.Empty()
	if !empty {
		j.unsynced.Store(false) // settlements so far are before the group in the log
		if err := g.db.ApplyNoSyncWait(g.batch, pebble.Sync); err != nil {
			j.fail(err)
			g.abandon(j.unavailable())
			synced <- struct{}{}
			return
		}
	}
	go func() {
		if !empty {
			if err := g.batch.SyncWait(); err != nil {
				j.fail(err)
			}
			j.syncs.Add(1)
		}
		g.finish()
		synced <- struct{}{}
	}()
}
