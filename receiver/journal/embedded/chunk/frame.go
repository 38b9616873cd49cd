// Package chunk reads what can be read of Pebble's logs and manifests, and writes logs.
//
// Both are sequences of records, cut into chunks that do not cross the borders of blocks. The frame is that of Pebble's package record,
// whose reader stops at the first chunk that cannot be read; this one goes on behind it.
package chunk

import (
	"encoding/binary"
	"hash/crc32"
)

const (
	blockBytes = 32 << 10
	// The sizes of the headers: checksum u32, length u16, type u8; in a log its number u32; and the offset up to which it was synced u64.
	plainHeaderBytes = 7
	logHeaderBytes   = 11
	syncHeaderBytes  = 19
	// chunksPerHeader is how many types there are of each header: full, first, middle, last.
	chunksPerHeader = 4
	// logChunk is the type of a full chunk with a number; the other three follow.
	logChunk = 5
)

// Castagnoli is the polynomial of all checksums of a store. Package crc32 keeps its table.
func Castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// MaskCRC returns a checksum as Pebble stores it, in chunks and in the blocks of tables.
func MaskCRC(sum uint32) uint32 { return (sum>>15 | sum<<17) + 0xa282ead8 }

// Frame tells the chunks of a file from those of others: the ones of a log carry its number. The zero value is that of a manifest.
type Frame struct {
	isLog  bool
	number uint32
}

// Log returns the frame of the log with a number, of which chunks carry the lower half.
func Log(number uint64) Frame { return Frame{isLog: true, number: uint32(number)} }

// Chunk is a part of a record.
type Chunk struct {
	// First says that a record begins with it.
	First bool
	last  bool
	data  []byte
	// size includes the header.
	size int
	// Synced is the offset in the file up to which it was synced before the chunk was written.
	Synced int64
}

// parse reads the chunk at the start of b, which ends with the block.
func (f Frame) parse(b []byte) (c Chunk, ok bool) {
	if len(b) < plainHeaderBytes {
		return c, false
	}
	kind := int(b[6]) - 1
	if kind < 0 || kind >= 3*chunksPerHeader {
		return c, false
	}
	header := [...]int{plainHeaderBytes, logHeaderBytes, syncHeaderBytes}[kind/chunksPerHeader]
	c.size = header + int(binary.LittleEndian.Uint16(b[4:]))
	if c.size > len(b) || !f.has(b, header) {
		return c, false
	}
	if MaskCRC(crc32.Checksum(b[6:c.size], Castagnoli())) != binary.LittleEndian.Uint32(b) {
		return c, false
	}
	if header == syncHeaderBytes {
		c.Synced = int64(binary.LittleEndian.Uint64(b[logHeaderBytes:]))
	}
	position := kind % chunksPerHeader
	c.First, c.last, c.data = position == 0 || position == 1, position == 0 || position == 3, b[header:c.size]
	return c, true
}

// has reports whether a header of that size, at the start of b, is one of the file's.
func (f Frame) has(b []byte, header int) bool {
	if header == plainHeaderBytes {
		return !f.isLog
	}
	return f.isLog && binary.LittleEndian.Uint32(b[plainHeaderBytes:]) == f.number
}

// isTrailer says that b begins with what ends a log that was closed.
func (f Frame) isTrailer(b []byte) bool {
	return f.isLog && len(b) >= logHeaderBytes && isZero(b[:6]) && b[6] == logChunk &&
		binary.LittleEndian.Uint32(b[plainHeaderBytes:]) == f.number+1
}

// isPadding says that b, which ends with a whole block, is what is left free where no chunk fits.
func isPadding(b []byte) bool { return len(b) < syncHeaderBytes && isZero(b) }

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
