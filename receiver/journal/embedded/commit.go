package embedded

import (
	"runtime"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
)

// maxGroupBytes bounds a group, so that one fsync stays short and a group fits into a memtable.
const maxGroupBytes = 4 << 20

// commitLoop is the committer: the one goroutine that stores appends.
//
// While one group of appends waits for its fsync, the next one is built; it is written when the first is done. So an
// fsync carries everything that arrived during the one before it.
func (j *Journal) commitLoop() {
	synced := make(chan struct{}, 1)
	synced <- struct{}{}
	g := j.newGroup()
	for {
		requests, ready := j.requests, synced
		if g.size() >= maxGroupBytes {
			requests = nil
		}
		if len(g.waiters) == 0 {
			ready = nil
		}
		select {
		case r := <-requests:
			g.add(r)
		case <-ready:
			j.gather(g)
			j.commit(g, synced)
			g = j.newGroup()
		case <-j.failed:
			if j.cause.Load() == nil {
				continue // that store was replaced meanwhile
			}
			g.abandon(j.unavailable())
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
// yielding to them brings more, it is worth more than the time.
func (j *Journal) gather(g *group) {
	for {
		before := len(g.waiters)
		runtime.Gosched()
		for more := true; more && g.size() < maxGroupBytes; {
			select {
			case r := <-j.requests:
				g.add(r)
			default:
				more = false
			}
		}
		if len(g.waiters) == before || g.size() >= maxGroupBytes {
			return
		}
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
