package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/space"
)

// reclaimInterval is the shortest time between two compactions that make room.
const reclaimInterval = time.Second

// storeUsage tells what the store takes.
type storeUsage struct {
	o  *Options
	db *pebble.DB
}

// Usage implements [space.Source].
func (u *storeUsage) Usage() space.Usage {
	m := u.db.Metrics()
	usage := space.Usage{
		Used:      int64(m.DiskSpaceUsage()),
		Logs:      int64(m.WAL.PhysicalSize + m.WAL.ObsoletePhysicalSize),
		Unflushed: int64(m.MemTable.Size),
		Merging:   m.Levels[0].TablesSize + baseLevel(m),
		Free:      -1,
	}
	if disk, err := u.o.FS.GetDiskUsage(u.o.Dir); err == nil {
		usage.Free = int64(disk.AvailBytes)
	}
	return usage
}

// baseLevel returns the bytes of the level that young tables are merged into.
func baseLevel(m *pebble.Metrics) int64 {
	for i := range m.Levels {
		if i > 0 && m.Levels[i].TablesSize > 0 {
			return m.Levels[i].TablesSize
		}
	}
	return 0
}

// checkSpace returns an error when there is no room for a request, and has room be made then.
func (g *group) checkSpace(r *request) error {
	err := g.j.space.Admit(&g.usage, space.Request{Appending: r.adding, LetterBytes: r.letterBytes}, g.j.letterBytes.Load()+g.letterBytes)
	if err != nil {
		select {
		case g.j.reclaims <- struct{}{}:
		default:
		}
	}
	return err
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
	ctx := j.storeCtx
	if ctx.Err() != nil {
		release()
		return
	}
	j.work.Add(1) // closeStore waits for it, and nobody else: it may take long
	defer j.work.Done()
	release()
	err = errors.Join(compact(ctx, db, format.TableEvents, &j.deleted), compact(ctx, db, format.TablePayloads, &j.dropped))
	if err != nil && !errors.Is(err, context.Canceled) {
		j.opts.Logger.Warn("journal space could not be reclaimed", "error", err)
	}
	j.space.Forget()
}

// compact removes what was deleted of a table for good.
func compact(ctx context.Context, db *pebble.DB, table byte, d *space.Deletions) error {
	first, last, some := d.Take()
	if !some {
		return nil
	}
	return db.Compact(ctx, format.NumberKey(table, first), format.NumberKey(table, last+1), false)
}
