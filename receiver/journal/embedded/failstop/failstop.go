// Package failstop is a file system for a store that cannot live with a failed write.
package failstop

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FS is a file system that makes the first failed write look like a power cut.
//
// The store ends the process, or is left with its locks held, when a write to its log or manifest fails. With this file
// system it never sees such a failure: from the first one on nothing is written to the device any more, everything is
// reported as done, and the cause is set before the failed call returns. What is on the device is then what a power cut at
// that moment leaves, which the store is made to recover from; the journal acknowledges nothing once it is stopped,
// closes the store, which ends without harm, and opens it anew.
type FS struct {
	vfs.FS
	cause   atomic.Pointer[error]
	onStop  func(error)
	scratch *vfs.MemFS
	// onSync returns what is told how much of a file with that name was synced; nil = nobody is.
	onSync func(name string) func(size int64)
	// reader stands between the store and the files that it reads; nil = nothing does.
	reader atomic.Pointer[Reader]
}

// Reader gives the store a file in place of the one that was opened for reading, which it closes if it does.
type Reader func(path string, file vfs.File) (vfs.File, error)

// New returns a file system over storage. onStop is called once, with the first failure, and may be nil, as onSync may: that
// is asked for each file that is created, by its name without the folder, and what it returns is called with the bytes that were
// written to the file before each sync that succeeded.
func New(storage vfs.FS, onStop func(error), onSync func(name string) func(size int64)) *FS {
	return &FS{FS: storage, onStop: onStop, onSync: onSync, scratch: vfs.NewMem()}
}

// ReadThrough has what is opened for reading from now on go through r; nil = nothing does.
func (f *FS) ReadThrough(r Reader) {
	if r == nil {
		f.reader.Store(nil)
		return
	}
	f.reader.Store(&r)
}

// Stop ends all writing because of err, of which only the first counts. It returns nil: what the store is told.
func (f *FS) Stop(err error) error {
	if f.cause.CompareAndSwap(nil, &err) && f.onStop != nil {
		f.onStop(err)
	}
	return nil
}

// Stopped reports whether writing has ended.
func (f *FS) Stopped() bool { return f.cause.Load() != nil }

// Cause returns why writing has ended, or nil.
func (f *FS) Cause() error {
	if c := f.cause.Load(); c != nil {
		return *c
	}
	return nil
}

// write runs an operation that changes the device. That a file is missing or exists is an answer, not a failure.
func (f *FS) write(op func() error) error {
	if f.Stopped() {
		return nil
	}
	err := op()
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.Stop(err)
}

// open runs an operation that opens a file for writing; after a stop the file is one in memory.
func (f *FS) open(op, scratch func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	err := f.write(func() (err error) {
		file, err = op()
		return err
	})
	if err != nil {
		return nil, err
	}
	if f.Stopped() && file == nil {
		if file, err = scratch(); err != nil {
			return nil, fmt.Errorf("scratch file: %w", err)
		}
	}
	return &guardedFile{File: file, fs: f}, nil
}

// openFile opens a file for writing from its start.
func (f *FS) openFile(name string, op func() (vfs.File, error)) (vfs.File, error) {
	file, err := f.open(op, f.createScratch(name))
	if file, ok := file.(*guardedFile); ok && f.onSync != nil {
		file.synced = f.onSync(f.PathBase(name))
	}
	return file, err
}

func (f *FS) createScratch(name string) func() (vfs.File, error) {
	return func() (vfs.File, error) { return f.scratch.Create(scratchName(name), vfs.WriteCategoryUnspecified) }
}

func scratchName(name string) string { return "/" + path.Base(name) }

// Create creates a file.
func (f *FS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.openFile(name, func() (vfs.File, error) { return f.FS.Create(name, category) })
}

// ReuseForWrite renames a file and opens it for writing.
func (f *FS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.openFile(newname, func() (vfs.File, error) { return f.FS.ReuseForWrite(oldname, newname, category) })
}

// OpenReadWrite opens a file for reading and writing.
func (f *FS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.open(func() (vfs.File, error) { return f.FS.OpenReadWrite(name, category, opts...) }, f.createScratch(name))
}

// OpenDir opens a directory for syncing.
func (f *FS) OpenDir(name string) (vfs.File, error) {
	op := func() (vfs.File, error) { return f.FS.OpenDir(name) }
	return f.open(op, func() (vfs.File, error) { return f.scratch.OpenDir("/") })
}

// Open opens a file for reading; after a stop, first what was since created in memory.
func (f *FS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if f.Stopped() {
		if file, err := f.scratch.Open(scratchName(name)); err == nil {
			return file, nil
		}
	}
	file, err := f.FS.Open(name, opts...)
	if r := f.reader.Load(); r != nil && err == nil {
		return (*r)(name, file)
	}
	return file, err
}

// Stat describes a file; after a stop, first what was since created in memory.
func (f *FS) Stat(name string) (vfs.FileInfo, error) {
	if f.Stopped() {
		if info, err := f.scratch.Stat(scratchName(name)); err == nil {
			return info, nil
		}
	}
	return f.FS.Stat(name)
}

// Link makes a hard link.
func (f *FS) Link(oldname, newname string) error {
	return f.write(func() error { return f.FS.Link(oldname, newname) })
}

// Remove removes a file.
func (f *FS) Remove(name string) error {
	return f.write(func() error { return f.FS.Remove(name) })
}

// RemoveAll removes a tree.
func (f *FS) RemoveAll(name string) error {
	return f.write(func() error { return f.FS.RemoveAll(name) })
}

// Rename renames a file.
func (f *FS) Rename(oldname, newname string) error {
	return f.write(func() error { return f.FS.Rename(oldname, newname) })
}

// MkdirAll creates directories.
func (f *FS) MkdirAll(dir string, perm os.FileMode) error {
	return f.write(func() error { return f.FS.MkdirAll(dir, perm) })
}

// Lock takes the directory's lock. It is passed through at all times: it must be given back.
func (f *FS) Lock(name string) (io.Closer, error) { return f.FS.Lock(name) }

// Unwrap returns the file system below.
func (f *FS) Unwrap() vfs.FS { return f.FS }

// guardedFile is a file that was opened for writing.
type guardedFile struct {
	vfs.File
	fs *FS
	// written is how much was written since the file was opened, and synced is told how much of it was synced; nil = nobody is.
	written atomic.Int64
	synced  func(size int64)
}

// Write appends p.
func (f *guardedFile) Write(p []byte) (int, error) {
	f.written.Add(int64(len(p)))
	return len(p), f.change(func() error { _, err := f.File.Write(p); return err })
}

// WriteAt writes p at off.
func (f *guardedFile) WriteAt(p []byte, off int64) (int, error) {
	return len(p), f.change(func() error { _, err := f.File.WriteAt(p, off); return err })
}

// Preallocate reserves space. Not every file system can; the store does without.
func (f *guardedFile) Preallocate(off, length int64) error {
	if f.fs.Stopped() {
		return nil
	}
	return f.File.Preallocate(off, length)
}

// Sync makes the file durable.
func (f *guardedFile) Sync() error { return f.change(f.syncing(f.File.Sync)) }

// SyncData makes the file's content durable.
func (f *guardedFile) SyncData() error { return f.change(f.syncing(f.File.SyncData)) }

// syncing marks what a sync has made durable.
func (f *guardedFile) syncing(op func() error) func() error {
	if f.synced == nil {
		return op
	}
	return func() error {
		written := f.written.Load() // what is written meanwhile may not be among it
		if err := op(); err != nil {
			return err
		}
		f.synced(written)
		return nil
	}
}

// SyncTo starts making a part of the file durable.
func (f *guardedFile) SyncTo(length int64) (fullSync bool, err error) {
	err = f.change(func() (err error) {
		fullSync, err = f.File.SyncTo(length)
		return err
	})
	return fullSync, err
}

// Close closes the file, after a stop too.
func (f *guardedFile) Close() error {
	if err := f.File.Close(); err != nil {
		return f.fs.Stop(err)
	}
	return nil
}

func (f *guardedFile) change(op func() error) error {
	if f.fs.Stopped() {
		return nil
	}
	if err := op(); err != nil {
		return f.fs.Stop(err)
	}
	return nil
}
