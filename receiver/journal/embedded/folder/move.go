package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// lockName is the file that a process locks which has the store open.
const lockName = "LOCK"

// Move moves the store of an earlier release, which was in from itself, to the folder to, which may be in from. What else is in from
// stays. Where there is none it does nothing; one that was interrupted is taken up again. It fails while a process has the store open.
func Move(from, to string, log *slog.Logger) error {
	names, err := storeFiles(from)
	if len(names) == 0 || err != nil {
		return err
	}
	lock, err := Lock(vfs.Default, from)
	if err != nil {
		return err
	}
	err = moveAll(from, to, names)
	if err = errors.Join(err, lock.Close()); err != nil {
		return err
	}
	log.Info("moved the journal to a folder of its own", "from", from, "to", to, "files", len(names))
	return os.Remove(filepath.Join(from, lockName))
}

func moveAll(from, to string, names []string) error {
	if err := os.MkdirAll(to, Mode); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return errors.Join(Sync(vfs.Default, to), Sync(vfs.Default, from))
}

func storeFiles(folder string) (names []string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if storeFile.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Lock locks the store in a folder until lock is closed. The error says so when a process has the store open.
func Lock(storage vfs.FS, dir string) (lock io.Closer, err error) {
	lock, err = storage.Lock(storage.PathJoin(dir, lockName))
	if errors.Is(err, syscall.EAGAIN) {
		return nil, fmt.Errorf("another process has it open: %w", err)
	}
	return lock, err
}
