package embedded

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// mendTables replaces the tables that could not be read by what can be read of them. The store is closed. It returns whether there was
// anything to mend.
func (j *Journal) mendTables() (mended bool, err error) {
	for _, path := range j.losses.takeSuspects() {
		done, err := j.mendTable(path)
		if err != nil {
			j.losses.suspect(path)
			return mended, fmt.Errorf("mend %s: %w", path, err)
		}
		mended = mended || done
	}
	return mended, nil
}

const mendSuffix = ".mended"

func (j *Journal) mendTable(path string) (mended bool, err error) {
	storage := j.opts.FS
	file, err := storage.Open(path)
	if err != nil {
		return false, err
	}
	info, err := file.Stat()
	if err != nil {
		return false, errors.Join(err, file.Close())
	}
	opts := storeOptions(&j.opts)
	table, err := openTable(file, opts)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, table.close()) }()
	if table.isSound() {
		return false, nil
	}
	if err := keepDamaged(storage, j.opts.Dir, path); err != nil {
		return false, err
	}
	lost, err := copyTable(storage, path+mendSuffix, table, opts)
	if err == nil {
		err = padTable(storage, path+mendSuffix, info.Size())
	}
	if err == nil {
		err = errors.Join(storage.Rename(path+mendSuffix, path), syncDir(storage, j.opts.Dir))
	}
	if err != nil {
		return false, errors.Join(err, storage.Remove(path+mendSuffix))
	}
	j.found(damage{file: storage.PathBase(path), reason: fmt.Sprintf("%d of %d blocks cannot be read", lost, len(table.data))})
	return true, nil
}

// copyTable writes what can be read of a table, in less space than it took: compressed, and without a filter.
func copyTable(storage vfs.FS, to string, table *tableReader, opts *pebble.Options) (lost int, err error) {
	file, err := storage.Create(to, vfs.WriteCategoryUnspecified)
	if err != nil {
		return 0, err
	}
	o := opts.MakeWriterOptions(len(opts.Levels)-1, storeFormat.MaxTableFormat())
	o.FilterPolicy, o.Compression, o.WritingToLowestLevel = nil, block.BalancedCompression, false
	w := sstable.NewRawWriter(objstorageprovider.NewFileWritable(file), o)
	lost, err = table.entries(func(key pebble.InternalKey, value []byte) error { return w.Add(key, value, false) })
	if err == nil {
		err = table.copyRanges(w)
		if errors.Is(err, errUnreadable) {
			lost, err = lost+1, nil
		}
	}
	return lost, errors.Join(err, w.Close())
}

// padTable gives a table the size that the manifest says: it moves the footer, whose addresses are those of blocks before it.
func padTable(storage vfs.FS, path string, size int64) error {
	file, err := storage.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	footer := make([]byte, storeFormat.MaxTableFormat().FooterSize())
	pad := size - info.Size()
	if pad < 0 {
		return errors.Join(fmt.Errorf("what can be read takes %d bytes more than before", -pad), file.Close())
	}
	if _, err := file.ReadAt(footer, info.Size()-int64(len(footer))); err != nil && !errors.Is(err, io.EOF) {
		return errors.Join(err, file.Close())
	}
	_, err = file.WriteAt(footer, size-int64(len(footer)))
	return errors.Join(err, file.Sync(), file.Close())
}
