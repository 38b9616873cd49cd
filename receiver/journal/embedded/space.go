package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// sampleInterval is how often the store is asked how much space it takes; between that, what is written is added.
	sampleInterval = 200 * time.Millisecond
	// reclaimInterval is the shortest time between two compactions that make room.
	reclaimInterval = time.Second
	// mergeShare is the part of MaxBytes that is kept for a merge at most, 1/4. From 640 MiB on that is room for all young tables.
	mergeShare = 4
	// deadLetterShare is the part of MaxBytes that dead letters may take which requests bring, 1/4, as in package jetstream. Those of
	// events that a sink refused took their space when the events were accepted.
	deadLetterShare = 4
)

// space knows about how much of the device the journal takes.
type space struct {
	mu      sync.Mutex
	sampled time.Time
	used    int64
	// logs is what logs take of it. unflushed is what is in them alone, and will be in tables as well before they go.
	logs, unflushed int64
	// merging is what the next merge of young tables may take until it is done.
	merging int64
	// lacking says that the file system has too little left.
	lacking bool
	// refused is the size of the last append, if there was no room for it; else 0.
	refused int64
}

// add counts what was written since the sample.
func (s *space) add(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used += n
	s.logs += n
	s.unflushed += n
}

// forget makes the next look a sample.
func (s *space) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sampled = time.Time{}
}

// look returns the bytes taken, and whether the file system lacks space.
func (s *space) look(j *Journal, db *pebble.DB) (used int64, lacking bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := j.opts.Now()
	if age := now.Sub(s.sampled); age >= 0 && age < sampleInterval {
		return s.used, s.lacking
	}
	s.sampled = now
	m := db.Metrics()
	s.used = int64(m.DiskSpaceUsage())
	s.logs = int64(m.WAL.PhysicalSize + m.WAL.ObsoletePhysicalSize)
	s.unflushed = int64(m.MemTable.Size)
	s.merging = min(m.Levels[0].TablesSize, j.opts.MaxBytes/mergeShare)
	s.lacking = false
	if usage, err := j.opts.FS.GetDiskUsage(j.opts.Dir); err == nil && j.opts.MinFreeBytes > 0 {
		s.lacking = usage.AvailBytes < uint64(j.opts.MinFreeBytes)
	}
	return s.used, s.lacking
}

// admit returns an error when there is no room for a request, of which the group holds letterBytes of dead letters already. It
// runs on the committer.
func (s *space) admit(j *Journal, r *request, letterBytes int64) error {
	_, lacking := s.look(j, j.db)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = 0
	// What is added is written to a log first and to a table later, and then the log goes.
	if lacking || s.full(r.adding.Size, j.opts.MaxBytes) {
		s.refused = r.adding.Size
		return journal.ErrFull
	}
	letters := j.letterBytes.Load() + letterBytes
	if r.letterBytes > 0 && letters > 0 && letters+r.letterBytes > j.opts.MaxBytes/deadLetterShare {
		return journal.ErrDeadLetters
	}
	taken := s.used + s.unflushed + s.merging
	if r.adding.Unverified {
		taken = s.used - s.logs + s.unflushed // logs have a size of their own, however little there is
	}
	return j.shares.Admit(r.adding, taken, j.opts.MaxBytes)
}

// full says whether size more bytes would take more than there may be.
func (s *space) full(size, limit int64) bool { return s.used+s.unflushed+s.merging+2*size > limit }

// problem says for people why there is no room for what was refused last, or for anything; empty = there is. It does not say how
// much is taken, so that it stays the same while it lasts.
func (s *space) problem(j *Journal, lacking bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case lacking:
		return fmt.Sprintf("the file system of the journal has less than %d bytes left", j.opts.MinFreeBytes)
	case s.full(max(s.refused, 1), j.opts.MaxBytes):
		return fmt.Sprintf("the journal is full: it may take %d bytes", j.opts.MaxBytes)
	}
	return j.shares.Problem(s.used+s.unflushed+s.merging, j.opts.MaxBytes)
}

// checkSpace returns an [journal.ErrFull] when there is no room for a request.
func (g *group) checkSpace(r *request) error {
	err := g.j.space.admit(g.j, r, g.letterBytes)
	if err != nil {
		select {
		case g.j.reclaims <- struct{}{}:
		default:
		}
	}
	return err
}

// deletions are the bundles, or the dead letters, that were deleted and whose space was not reclaimed.
type deletions struct {
	mu    sync.Mutex
	bytes int64
	// first and last bound their numbers.
	first, last uint64
}

func (d *deletions) add(number uint64, size int64) {
	if d.bytes == 0 {
		d.first, d.last = number, number
	}
	d.bytes += size
	d.first, d.last = min(d.first, number), max(d.last, number)
}

func (d *deletions) merge(other *deletions) {
	if other.bytes == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	bytes := d.bytes + other.bytes
	d.add(other.first, other.bytes)
	d.add(other.last, 0)
	d.bytes = bytes
}

func (d *deletions) take() (first, last uint64, some bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	some = d.bytes > 0
	d.bytes = 0
	return d.first, d.last, some
}

// reclaimLoop gives the space of what was deleted back when the journal is full. Without it that would happen only when
// further writes push the store to compact, and a full journal takes none.
func (j *Journal) reclaimLoop() {
	for {
		select {
		case <-j.reclaims:
		case <-j.closing:
			return
		}
		j.reclaim()
		select {
		case <-time.After(reclaimInterval):
		case <-j.closing:
			return
		}
	}
}

func (j *Journal) reclaim() {
	db, release, err := j.acquire()
	if err != nil {
		return
	}
	life := j.life
	if life.Err() != nil {
		release()
		return
	}
	j.work.Add(1) // closeStore waits for it, and nobody else: it may take long
	defer j.work.Done()
	release()
	err = errors.Join(compact(life, db, tableEvents, &j.deleted), compact(life, db, tablePayloads, &j.dropped))
	if err != nil && !errors.Is(err, context.Canceled) {
		j.opts.Logger.Warn("journal space could not be reclaimed", "error", err)
	}
	j.space.forget()
}

// compact removes what was deleted of a table for good.
func compact(ctx context.Context, db *pebble.DB, table byte, d *deletions) error {
	first, last, some := d.take()
	if !some {
		return nil
	}
	return db.Compact(ctx, numberKey(table, first), numberKey(table, last+1), false)
}
