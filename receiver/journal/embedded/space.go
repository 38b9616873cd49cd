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
)

// space knows about how much of the device the journal takes.
type space struct {
	mu      sync.Mutex
	sampled time.Time
	used    int64
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
	s.used = int64(db.Metrics().DiskSpaceUsage())
	s.lacking = false
	if usage, err := j.opts.FS.GetDiskUsage(j.opts.Dir); err == nil && j.opts.MinFreeBytes > 0 {
		s.lacking = usage.AvailBytes < uint64(j.opts.MinFreeBytes)
	}
	return s.used, s.lacking
}

// has says whether there is room for size more bytes.
func (s *space) has(j *Journal, size int64) bool {
	used, lacking := s.look(j, j.db)
	room := !lacking && used+size <= j.opts.MaxBytes
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = 0
	if !room {
		s.refused = size
	}
	return room
}

// problem says for people why there is no room for what was refused last, or for anything; empty = there is. It does not say how
// much is taken, so that it stays the same while it lasts.
func (s *space) problem(j *Journal, used int64, lacking bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case lacking:
		return fmt.Sprintf("the file system of the journal has less than %d bytes left", j.opts.MinFreeBytes)
	case used+max(s.refused, 1) > j.opts.MaxBytes:
		return fmt.Sprintf("the journal is full: it may take %d bytes", j.opts.MaxBytes)
	}
	return ""
}

// checkSpace returns [journal.ErrFull] when there is no room for size more bytes. It runs on the committer.
func (j *Journal) checkSpace(size int64) error {
	if j.space.has(j, size) {
		return nil
	}
	select {
	case j.reclaims <- struct{}{}:
	default:
	}
	return journal.ErrFull
}

// deletions are the bundles that were deleted and whose space was not reclaimed.
type deletions struct {
	mu    sync.Mutex
	bytes int64
	// first and last bound their numbers.
	first, last uint64
}

func (d *deletions) add(bundle uint64, size int64) {
	if d.bytes == 0 {
		d.first, d.last = bundle, bundle
	}
	d.bytes += size
	d.first, d.last = min(d.first, bundle), max(d.last, bundle)
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

// reclaimLoop gives the space of deleted bundles back when the journal is full. Without it that would happen only when
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
	first, last, some := j.deleted.take()
	if !some {
		return
	}
	err = db.Compact(life, bundleKey(first), bundleKey(last+1), false)
	if err != nil && !errors.Is(err, context.Canceled) {
		j.opts.Logger.Warn("journal space could not be reclaimed", "error", err)
	}
	j.space.forget()
}
