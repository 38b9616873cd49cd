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

func TestConcurrentAppendsShareSyncs(t *testing.T) {
	t.Parallel()
	const appends, writers, most = 1000, 64, 60
	for _, delay := range []time.Duration{0, time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			t.Parallel()
			s := newStorage()
			fs := &slowSyncFS{FS: s.fs, delay: delay}
			s.change = func(o *embedded.Options) { o.FS = fs }
			j := s.open(t)
			fs.syncs.Store(0)
			before := j.Stats().Syncs
			var next atomic.Int64
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for n := next.Add(1); n <= appends; n = next.Add(1) {
						e := journal.Entry{DedupeKeys: []string{fmt.Sprint(n)}, Sinks: []string{"mail/sink"}, Payload: make([]byte, 1024)}
						if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{e}}); err != nil {
							t.Errorf("Append: %v", err)
						}
					}
				})
			}
			wg.Wait()
			onDisk, counted := fs.syncs.Load(), j.Stats().Syncs-before
			t.Logf("%d appends, %d syncs, %d counted", appends, onDisk, counted)
			if onDisk == 0 || onDisk > most {
				t.Errorf("%d appends took %d syncs, want at most %d", appends, onDisk, most)
			}
			if counted == 0 || counted > onDisk {
				t.Errorf("%d syncs were counted, there were %d", counted, onDisk)
			}
		})
	}
}
