package embedded

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal/embedded/damage"
	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// openRepairing opens the store, and repairs what is found to be damaged meanwhile.
func (j *Journal) openRepairing() error {
	for {
		err := j.openStore()
		if err == nil {
			return nil
		}
		repaired, repairErr := j.repairTables()
		if !repaired || repairErr != nil {
			return errors.Join(err, repairErr)
		}
	}
}

// openStore opens the store and reads the little that is kept in memory.
func (j *Journal) openStore() error {
	if err := j.opts.FS.MkdirAll(j.opts.Dir, folder.Mode); err != nil {
		return err
	}
	j.losses.FindKept(j.opts.FS, j.opts.Dir)
	marks, err := damage.OpenMarks(j.opts.FS, j.opts.Dir)
	if err != nil {
		j.opts.Logger.Warn("how much of the journal is durable cannot be marked; damage at its end could be taken for that of a crash", "error", err)
	}
	fs := failstop.New(j.opts.FS, j.fail, marks.Synced)
	db, err := j.openFiles(fs, marks)
	if err != nil {
		return errors.Join(err, marks.Close())
	}
	return j.begin(db, fs, marks)
}

// openFiles opens the store's files.
func (j *Journal) openFiles(fs *failstop.FS, marks *damage.Marks) (*pebble.DB, error) {
	newest, err := folder.NewestLog(j.opts.FS, j.opts.Dir)
	if err != nil {
		return nil, err
	}
	m := &damage.Opener{
		Storage: j.opts.FS, Dir: j.opts.Dir, Options: store.FileOptions(j.opts.FS, j.opts.store()), Marks: marks, Newest: newest, Report: j.found,
		Lose: func(events int) { j.losses.Add("", events) },
	}
	fs.ReadThrough(m.Open)
	defer fs.ReadThrough(nil)
	db, err := store.Open(j.opts.Dir, j.opts.store(), fs, j.suspect)
	if errors.Is(err, syscall.EAGAIN) {
		return nil, fmt.Errorf("another process has it open: %w", err)
	}
	if fs.Stopped() && err != nil {
		return nil, fs.Cause() // err is what came of it
	}
	if err != nil && pebble.IsCorruptionError(err) && !isDamaged(err) {
		err = &damage.Error{File: j.opts.Dir, Err: err}
	}
	return db, err
}

// isDamaged reports whether err names a damaged file.
func isDamaged(err error) bool {
	_, is := errors.AsType[*damage.Error](err)
	return is
}

// begin reads the little that is kept in memory, and makes db the store.
func (j *Journal) begin(db *pebble.DB, fs *failstop.FS, marks *damage.Marks) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	count, err := j.load(db)
	if err = errors.Join(err, fs.Cause()); err != nil {
		return errors.Join(err, count.close(), db.Close(), marks.Close())
	}
	first := j.storeCtx == nil
	j.db, j.fs, j.marks = db, fs, marks
	j.storeCtx, j.cancelStore = context.WithCancel(context.Background())
	j.space.Forget()
	ctx := j.storeCtx
	if !first {
		count.run(ctx) // nobody waits for a start, and who empties the journal must not take it for empty
	}
	j.work.Go(func() {
		_ = j.awaitHeadStart(ctx) // what follows looks itself whether the store is closed
		if first {
			count.run(ctx)
			close(j.counted)
		}
		if err := j.seen.Load(ctx, keyReader(ctx, db)); err != nil {
			j.opts.Logger.Warn("dedupe keys could not be read ahead; each will be looked up", "error", err)
		}
	})
	j.cause.Store(nil)
	if err := fs.Cause(); err != nil { // since it was last asked
		j.fail(err)
	}
	return nil
}

// closeStore ends what runs on the store and closes it.
func (j *Journal) closeStore() error {
	j.mu.Lock()
	j.cancelStore()
	j.mu.Unlock()
	j.work.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.db == nil {
		return nil
	}
	err := errors.Join(j.db.Close(), j.marks.Close())
	j.db = nil
	return err
}
