package damage

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
)

const repairSuffix = ".mended"

// RepairTable replaces a table of a store that is closed by what can be read of it. It returns what it found, nil = all of the table can be
// read. The damaged file is kept as [keepDamaged] does.
func RepairTable(storage vfs.FS, path string, opts *pebble.Options) (found *Finding, err error) {
	file, err := storage.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	table, err := openTable(file, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, table.close()) }()
	if table.isSound() {
		return nil, nil
	}
	dir := storage.PathDir(path)
	if err := folder.KeepDamaged(storage, dir, path); err != nil {
		return nil, err
	}
	lost, err := copyTable(storage, path+repairSuffix, table, opts)
	if err == nil {
		err = padTable(storage, path+repairSuffix, info.Size(), opts)
	}
	if err == nil {
		err = errors.Join(storage.Rename(path+repairSuffix, path), folder.Sync(storage, dir))
	}
	if err != nil {
		return nil, errors.Join(err, storage.Remove(path+repairSuffix))
	}
	return &Finding{File: storage.PathBase(path), Reason: fmt.Sprintf("%d of %d blocks cannot be read", lost, len(table.data))}, nil
}

// copyTable writes what can be read of a table, in less space than it took: compressed, and without a filter.
func copyTable(storage vfs.FS, to string, table *tableReader, opts *pebble.Options) (lost int, err error) {
	file, err := storage.Create(to, vfs.WriteCategoryUnspecified)
	if err != nil {
		return 0, err
	}
	o := opts.MakeWriterOptions(len(opts.Levels)-1, opts.FormatMajorVersion.MaxTableFormat())
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
func padTable(storage vfs.FS, path string, size int64, opts *pebble.Options) error {
	file, err := storage.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	footer := make([]byte, opts.FormatMajorVersion.MaxTableFormat().FooterSize())
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
