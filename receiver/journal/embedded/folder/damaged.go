package folder

import (
	"errors"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// Damaged is the name of the folder that keeps the files that were damaged, in the folder of the store.
	Damaged = "damaged"
	// recheckName is a file that is there while the store may hold what refers to something that was lost.
	recheckName = "RECHECK"
)

// MarkRecheck has openings of the store check what is in it until [RecheckDone], durably.
func MarkRecheck(storage vfs.FS, dir string) error {
	file, err := storage.Create(storage.PathJoin(dir, recheckName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close(), Sync(storage, dir))
}

// KeepDamaged puts a damaged file aside in the folder [Damaged] of dir, under its name, and has what refers to it checked. The file stays where
// it is, too. One of that name that was kept before is kept.
func KeepDamaged(storage vfs.FS, dir, path string) error {
	aside := storage.PathJoin(dir, Damaged)
	if err := errors.Join(MarkRecheck(storage, dir), storage.MkdirAll(aside, Mode)); err != nil {
		return err
	}
	kept := storage.PathJoin(aside, storage.PathBase(path))
	if err := vfs.LinkOrCopy(storage, path, kept); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return errors.Join(Sync(storage, aside), Sync(storage, dir))
}

// Sync makes the names in a folder durable.
func Sync(storage vfs.FS, dir string) error {
	folder, err := storage.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// AwaitsRecheck reports whether MarkRecheck was called since the last RecheckDone.
func AwaitsRecheck(storage vfs.FS, dir string) bool {
	_, err := storage.Stat(storage.PathJoin(dir, recheckName))
	return err == nil
}

// RecheckDone ends what MarkRecheck began.
func RecheckDone(storage vfs.FS, dir string) error {
	return errors.Join(storage.Remove(storage.PathJoin(dir, recheckName)), Sync(storage, dir))
}
