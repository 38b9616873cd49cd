package embedded

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Logs and manifests are sequences of records, cut into chunks that do not cross the borders of blocks. The frame is that of Pebble's
// package record, whose reader stops at the first chunk that cannot be read; this one goes on behind it.
const (
	frameBlockBytes = 32 << 10
	// The sizes of the headers: checksum u32, length u16, type u8; in a log its number u32; and the offset up to which it was synced u64.
	plainHeaderBytes = 7
	logHeaderBytes   = 11
	syncHeaderBytes  = 19
	// chunksPerHeader is how many types there are of each header: full, first, middle, last.
	chunksPerHeader = 4
	// logChunk is the type of a full chunk with a number; the other three follow.
	logChunk = 5
)

// castagnoli is the polynomial of all checksums; the package keeps its table.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// maskCRC is how Pebble stores a checksum.
func maskCRC(sum uint32) uint32 { return (sum>>15 | sum<<17) + 0xa282ead8 }

// frame tells the chunks of a file from those of others: the ones of a log carry its number.
type frame struct {
	isLog  bool
	number uint32
}

// chunk is a part of a record.
type chunk struct {
	first, last bool
	data        []byte
	// size includes the header.
	size int
	// synced is the offset in the file up to which it was synced before the chunk was written.
	synced int64
}

// parse reads the chunk at the start of b, which ends with the block.
func (f frame) parse(b []byte) (c chunk, ok bool) {
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
	if maskCRC(crc32.Checksum(b[6:c.size], castagnoli())) != binary.LittleEndian.Uint32(b) {
		return c, false
	}
	if header == syncHeaderBytes {
		c.synced = int64(binary.LittleEndian.Uint64(b[logHeaderBytes:]))
	}
	position := kind % chunksPerHeader
	c.first, c.last, c.data = position == 0 || position == 1, position == 0 || position == 3, b[header:c.size]
	return c, true
}

// has says whether a header of that size, at the start of b, is one of the file's.
func (f frame) has(b []byte, header int) bool {
	if header == plainHeaderBytes {
		return !f.isLog
	}
	return f.isLog && binary.LittleEndian.Uint32(b[plainHeaderBytes:]) == f.number
}

// isTrailer says that b begins with what ends a log that was closed.
func (f frame) isTrailer(b []byte) bool {
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

// chunkReader reads the chunks of a file, also those behind what cannot be read.
type chunkReader struct {
	frame
	from  io.Reader
	block []byte
	rest  []byte
	// at is the offset of the end of the block.
	at int64
	// sound is the offset up to which everything could be read.
	sound int64
	// end is where the last chunk ends, and gap where the one before it ends.
	end, gap int64
	// broken says that something before rest could not be read.
	broken bool
	// closed says that the trailer was read.
	closed bool
}

func newChunkReader(from io.Reader, f frame) *chunkReader {
	return &chunkReader{frame: f, from: from, block: make([]byte, frameBlockBytes)}
}

func (r *chunkReader) offset() int64 { return r.at - int64(len(r.rest)) }

// next returns the next chunk, and whether there is something before it that could not be read; io.EOF when there is none. The chunk
// is good until the next call.
func (r *chunkReader) next() (c chunk, skipped bool, err error) {
	for !r.closed {
		if len(r.rest) < plainHeaderBytes || isPadding(r.rest) && len(r.block) == frameBlockBytes {
			if !isZero(r.rest) {
				r.broken = true
			}
			if err := r.load(); err != nil {
				return c, false, err
			}
			continue
		}
		if r.isTrailer(r.rest) {
			r.closed = true
			r.advance(logHeaderBytes)
			break
		}
		c, ok := r.parse(r.rest)
		if !ok {
			r.broken = true
			r.resync()
			continue
		}
		skipped = r.broken
		r.advance(c.size)
		r.broken = false
		return c, skipped, nil
	}
	return c, false, io.EOF
}

// advance passes what could be read.
func (r *chunkReader) advance(size int) {
	isSound := !r.broken && r.sound == r.end
	r.rest = r.rest[size:]
	r.gap, r.end = r.end, r.offset()
	if isSound {
		r.sound = r.end
	}
}

// load reads the next block.
func (r *chunkReader) load() error {
	if !r.broken {
		r.advance(len(r.rest))
	}
	n, err := io.ReadFull(r.from, r.block[:frameBlockBytes])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	r.block = r.block[:n]
	r.rest = r.block
	r.at += int64(n)
	return nil
}

// resync moves on to the next place in the block from which on there are chunks to its end, or to its end.
func (r *chunkReader) resync() {
	for p := 1; p < len(r.rest); p++ {
		if _, ok := r.parse(r.rest[p:]); ok && r.isChain(r.rest[p:]) {
			r.rest = r.rest[p:]
			return
		}
	}
	r.rest = nil
}

// isChain says that there is nothing but chunks, up to the end of what was written to the block. What only looks like a chunk, in the
// payload of one, is none.
func (r *chunkReader) isChain(b []byte) bool {
	for {
		c, ok := r.parse(b)
		if !ok {
			return isZero(b) || r.isTrailer(b)
		}
		b = b[c.size:]
	}
}

// recordReader reads records.
type recordReader struct {
	*chunkReader
	buffer []byte
}

// next returns the next record that is whole. It ends at a place behind synced from which on something cannot be read: that is the torn
// end of a crash, and what is behind it may rest upon what is missing.
func (r *recordReader) next(synced int64) ([]byte, error) {
	inside := false
	for {
		c, gap, err := r.chunkReader.next()
		if err != nil {
			return nil, err
		}
		if gap && r.gap >= synced {
			return nil, io.EOF
		}
		inside = (inside && !gap) || c.first
		if c.first {
			r.buffer = r.buffer[:0]
		}
		if !inside {
			continue
		}
		r.buffer = append(r.buffer, c.data...)
		if c.last {
			return r.buffer, nil
		}
	}
}

// appendRecord adds a record to the image of a log.
func appendRecord(image []byte, number uint32, record []byte) []byte {
	for first := true; ; first = false {
		image = padLog(image)
		room := frameBlockBytes - len(image)%frameBlockBytes - logHeaderBytes
		part := record[:min(room, len(record))]
		record = record[len(part):]
		last := len(record) == 0
		position := 2
		switch {
		case first && last:
			position = 0
		case first:
			position = 1
		case last:
			position = 3
		}
		image = appendChunk(image, logChunk+byte(position), number, part)
		if last {
			return image
		}
	}
}

func appendChunk(image []byte, kind byte, number uint32, data []byte) []byte {
	from := len(image)
	image = append(image, 0, 0, 0, 0)
	image = binary.LittleEndian.AppendUint16(image, uint16(len(data)))
	image = append(image, kind)
	image = binary.LittleEndian.AppendUint32(image, number)
	image = append(image, data...)
	binary.LittleEndian.PutUint32(image[from:], maskCRC(crc32.Checksum(image[from+6:], castagnoli())))
	return image
}

// appendTrailer ends the image of a log.
func appendTrailer(image []byte, number uint32) []byte {
	return binary.LittleEndian.AppendUint32(append(padLog(image), 0, 0, 0, 0, 0, 0, logChunk), number+1)
}

// padLog ends a block in which no header fits.
func padLog(image []byte) []byte {
	if room := frameBlockBytes - len(image)%frameBlockBytes; room < logHeaderBytes {
		return append(image, make([]byte, room)...)
	}
	return image
}
