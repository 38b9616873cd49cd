package embedded_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// slowSyncFS counts the syncs of log files and makes them as slow as a disk.
type slowSyncFS struct {
	vfs.FS
	delay time.Duration
	syncs atomic.Int64
}

func (f *slowSyncFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, category)
	return f.wrap(name, file), err
}

func (f *slowSyncFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	return f.wrap(newname, file), err
}

func (f *slowSyncFS) wrap(name string, file vfs.File) vfs.File {
	if filepath.Ext(name) != ".log" {
		return file
	}
	return &slowSyncFile{File: file, fs: f}
}

type slowSyncFile struct {
	vfs.File
	fs *slowSyncFS
}

func (f *slowSyncFile) sync(sync func() error) error {
	f.fs.syncs.Add(1)
	time.Sleep(f.fs.delay)
	return sync()
}

func (f *slowSyncFile) Sync() error     { return f.sync(f.File.Sync) }
func (f *slowSyncFile) SyncData() error { return f.sync(f.File.SyncData) }

// TestConcurrentAppendsShareSyncs counts the syncs of many appends. How many an fsync carries depends on how often the writers run while
// it waits: what a busy machine spoils is tried again.
func TestConcurrentAppendsShareSyncs(t *testing.T) {
	t.Parallel()
	const most, attempts = 60, 50
	for _, delay := range []time.Duration{0, time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			t.Parallel()
			s := newStorage()
			fs := &slowSyncFS{FS: s.fs, delay: delay}
			s.change = func(o *embedded.Options) { o.FS = fs }
			j := s.open(t)
			var onDisk int64
			for attempt := range attempts {
				fs.syncs.Store(0)
				before := j.Stats().Syncs
				appendConcurrently(t, j, attempt)
				counted := j.Stats().Syncs - before
				if onDisk = fs.syncs.Load(); counted == 0 || counted > onDisk {
					t.Errorf("%d syncs were counted, there were %d", counted, onDisk)
				}
				if onDisk > 0 && onDisk <= most {
					return
				}
			}
			t.Errorf("%d appends took %d syncs, want at most %d", concurrentAppends, onDisk, most)
		})
	}
}

const concurrentAppends = 1000

// appendConcurrently appends by 64 writers, each of which waits for its answer.
func appendConcurrently(t *testing.T, j *embedded.Journal, attempt int) {
	t.Helper()
	const writers = 64
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for n := next.Add(1); n <= concurrentAppends; n = next.Add(1) {
				e := journal.Entry{DedupeKeys: []string{fmt.Sprint(attempt, " ", n)}, Sinks: []string{"mail/sink"}, Payload: make([]byte, 1024)}
				if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{e}}); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	wg.Wait()
}
