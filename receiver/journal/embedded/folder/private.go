// Package folder knows the folder of a store: which files are the store's, the files beside them that are the journal's own, who may read
// them, and how a store is locked, moved, and marked for a check.
package folder

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Events hold personal data, so only the receiver's user reads them, whatever the process's umask is.
const (
	// Mode is that of folders.
	Mode     fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// PrivateFS is the file system of the operating system, with files that are for one user only.
type PrivateFS struct{ vfs.FS }

// Create creates a file.
func (p PrivateFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return keepPrivate(p.FS.Create(name, category))(name)
}

// ReuseForWrite renames a file and opens it for writing.
func (p PrivateFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return keepPrivate(p.FS.ReuseForWrite(oldname, newname, category))(newname)
}

// OpenReadWrite opens a file for reading and writing.
func (p PrivateFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return keepPrivate(p.FS.OpenReadWrite(name, category, opts...))(name)
}

// Lock takes the lock of the folder.
func (p PrivateFS) Lock(name string) (io.Closer, error) {
	lock, err := p.FS.Lock(name)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(name, fileMode); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// Unwrap returns the file system below.
func (p PrivateFS) Unwrap() vfs.FS { return p.FS }

// keepPrivate returns what sets the mode of a file that was just opened.
func keepPrivate(file vfs.File, err error) func(name string) (vfs.File, error) {
	return func(name string) (vfs.File, error) {
		if err != nil {
			return nil, err
		}
		if err := os.Chmod(name, fileMode); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		return file, nil
	}
}

// MakePrivate makes the folder of a store, and sees to it that others can neither list it nor read its files, as earlier releases
// let them do. Where the files belong to another user it can only say so.
func MakePrivate(dir string, log *slog.Logger) error {
	if err := os.MkdirAll(dir, Mode); err != nil {
		return err
	}
	changed := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Mode().Perm()&^Mode == 0 || info.Mode()&fs.ModeSymlink != 0 {
			return err
		}
		changed++
		mode := fileMode
		if d.IsDir() {
			mode = Mode
		}
		return os.Chmod(path, mode) //nolint:gosec // G122: nobody else writes to the folder, and links are left alone
	})
	switch {
	case err != nil:
		log.Warn("others may be able to read the journal's files, which hold personal data", "folder", dir, "error", err)
	case changed > 0:
		log.Warn("others could read the journal's files, which hold personal data; now only their user can", "folder", dir, "files", changed)
	}
	return nil
}
