package damage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/sstable/block/blockkind"
	"github.com/cockroachdb/pebble/v2/sstable/colblk"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/chunk"
)

const (
	// valueColumns are the columns of a data block beside those of its keys; it begins with a length u32.
	valueColumns  = 5
	lengthBytes   = 4
	maxIndicators = 16
	// columnHeaderBytes is the header of the columns: version u8, columns u16, rows u32.
	columnHeaderBytes = 7
)

// tableReader reads what can be read of a table's file.
type tableReader struct {
	schema *colblk.KeySchema
	file   io.ReaderAt
	blocks *block.Reader
	data   []block.Handle
	// others are the other blocks that the table is known to have.
	others []block.Handle
	// sound is nil when what says where the blocks are is damaged. They are found by their checksums then, and the deletions of ranges
	// are lost: what they had deleted comes back.
	sound *sstable.Reader
	close func() error
}

// openTable opens a table. It closes the file when the reader is closed, or on an error.
func openTable(file vfs.File, opts *pebble.Options) (*tableReader, error) {
	readable, err := sstable.NewSimpleReadable(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	t := &tableReader{file: file, schema: opts.KeySchemas[opts.KeySchema], close: readable.Close}
	if t.sound, err = sstable.NewReader(context.Background(), readable, opts.MakeReaderOptions()); err == nil {
		t.blocks = t.sound.BlockReader()
		if layout, err := t.sound.Layout(); err == nil {
			t.take(layout)
			t.close = t.sound.Close
			return t, nil
		}
	}
	t.sound, t.blocks = nil, &block.Reader{}
	t.blocks.Init(readable, block.ReaderOptions{LoggerAndTracer: opts.LoggerAndTracer}, block.ChecksumTypeCRC32c)
	if t.data, err = findBlocks(io.NewSectionReader(file, 0, math.MaxInt64)); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *tableReader) take(layout *sstable.Layout) {
	for _, b := range layout.Data {
		t.data = append(t.data, b.Handle)
	}
	t.others = append(layout.Index, layout.TopIndex, layout.RangeDel, layout.RangeKey, layout.Properties, layout.MetaIndex)
	for _, b := range layout.Filter {
		t.others = append(t.others, b.Handle)
	}
}

// isIntact compares a block with its checksum. Pebble would as well, and then look for a second or two which bit might have changed.
func (t *tableReader) isIntact(at block.Handle) bool {
	image := make([]byte, at.Length+block.TrailerLen)
	if _, err := t.file.ReadAt(image, int64(at.Offset)); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	sum := len(image) - 4
	return chunk.MaskCRC(crc32.Checksum(image[:sum], chunk.Castagnoli())) == binary.LittleEndian.Uint32(image[sum:])
}

// findBlocks finds the blocks at the start of a table by their checksums, up to the first one that is damaged. What cannot be a
// block of data is told apart when it is read.
func findBlocks(from io.Reader) (found []block.Handle, err error) {
	image, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	for at := 0; ; {
		length := blockLength(image[at:])
		if length < 0 {
			return found, nil
		}
		found = append(found, block.Handle{Offset: uint64(at), Length: uint64(length)})
		at += length + block.TrailerLen
	}
}

// blockLength returns the length of the block at the start of b without its trailer: how it is compressed, and a checksum; -1 = there
// is none.
func blockLength(b []byte) int {
	sum, table := uint32(0), chunk.Castagnoli()
	for n := 1; n+4 <= len(b); n++ {
		sum = crc32.Update(sum, table, b[n-1:n])
		if b[n-1] < maxIndicators && chunk.MaskCRC(sum) == binary.LittleEndian.Uint32(b[n:]) {
			return n - 1
		}
	}
	return -1
}

// isSound reports whether the whole table can be read.
func (t *tableReader) isSound() bool {
	for _, at := range slices.Concat(t.data, t.others) {
		if at.Length > 0 && !t.isIntact(at) {
			return false
		}
	}
	return t.sound != nil
}

// entries visits all that can be read, in order, and returns how many blocks cannot. Keys and values are good during the call.
func (t *tableReader) entries(visit func(key pebble.InternalKey, value []byte) error) (lost int, err error) {
	var last []byte
	for _, handle := range t.data {
		err := t.block(handle, &last, visit)
		switch {
		case errors.Is(err, errUnreadable):
			lost++
		case err != nil:
			return lost, err
		}
	}
	return lost, nil
}

// newest returns the number of the newest operation that can be read.
func (t *tableReader) newest() (newest uint64, err error) {
	_, err = t.entries(func(key pebble.InternalKey, _ []byte) error {
		newest = max(newest, uint64(key.SeqNum()))
		return nil
	})
	return newest, err
}

var errUnreadable = errors.New("block cannot be read")

// block visits the entries of a block. last is the last key that was visited.
func (t *tableReader) block(at block.Handle, last *[]byte, visit func(key pebble.InternalKey, value []byte) error) (err error) {
	if !t.isIntact(at) {
		return errUnreadable
	}
	initialize := func(meta *block.Metadata, data []byte) error {
		custom := lengthBytes + int(t.schema.HeaderSize)
		if len(data) < custom+columnHeaderBytes || int(colblk.DecodeHeader(data[custom:]).Columns) != len(t.schema.ColumnTypes)+valueColumns {
			return errUnreadable
		}
		return colblk.InitDataBlockMetadata(t.schema, meta, data)
	}
	handle, err := t.blocks.Read(context.Background(), block.NoReadEnv, nil, at, blockkind.SSTableData, initialize)
	if err != nil {
		return errors.Join(errUnreadable, err)
	}
	var entries colblk.DataBlockIter
	entries.InitOnce(t.schema, pebble.DefaultComparer, nil)
	if err := entries.InitHandle(pebble.DefaultComparer, handle, sstable.NoTransforms); err != nil {
		return errors.Join(errUnreadable, err)
	}
	defer entries.Close() //nolint:errcheck // it only gives the memory back
	for kv := entries.First(); kv != nil; kv = entries.Next() {
		if *last != nil && pebble.DefaultComparer.Compare(kv.K.UserKey, *last) < 0 {
			return errUnreadable
		}
		*last = append((*last)[:0], kv.K.UserKey...)
		if err := visit(kv.K, kv.V.InPlaceValue()); err != nil {
			return err
		}
	}
	return nil
}

// ranges visits the deletions of ranges. The error wraps errUnreadable when they cannot be read.
func (t *tableReader) ranges(visit func(from, to []byte, newest uint64)) error {
	if t.sound == nil {
		return nil
	}
	spans, err := t.sound.NewRawRangeDelIter(context.Background(), sstable.NoFragmentTransforms, sstable.NoReadEnv)
	if err != nil {
		return errors.Join(errUnreadable, err)
	}
	if spans == nil {
		return nil
	}
	defer spans.Close()
	s, err := spans.First()
	for ; s != nil && err == nil; s, err = spans.Next() {
		visit(s.Start, s.End, uint64(s.LargestSeqNum()))
	}
	return err
}

// copyRanges copies the deletions of ranges. The error is errUnreadable when they cannot be read.
func (t *tableReader) copyRanges(to sstable.RawWriter) error {
	if t.sound == nil {
		return nil
	}
	spans, err := t.sound.NewRawRangeDelIter(context.Background(), sstable.NoFragmentTransforms, sstable.NoReadEnv)
	if err != nil {
		return errUnreadable
	}
	if spans == nil {
		return nil
	}
	defer spans.Close()
	s, err := spans.First()
	for ; s != nil && err == nil; s, err = spans.Next() {
		if err := to.EncodeSpan(*s); err != nil {
			return fmt.Errorf("copy the deletion of a range: %w", err)
		}
	}
	return err
}
