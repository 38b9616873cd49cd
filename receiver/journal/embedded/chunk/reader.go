package chunk

import (
	"errors"
	"io"
	"math"
)

// Reader reads the chunks of a file, also those behind what cannot be read.
type Reader struct {
	frame Frame
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

// NewReader returns a reader of a file from its start. The position of the file stays where it is.
func NewReader(file io.ReaderAt, f Frame) *Reader {
	return &Reader{frame: f, from: io.NewSectionReader(file, 0, math.MaxInt64), block: make([]byte, blockBytes)}
}

// Sound returns the offset up to which everything could be read, so far.
func (r *Reader) Sound() int64 { return r.sound }

// Whole reports whether the file ended as a log does that was closed, and nothing before its end could not be read.
func (r *Reader) Whole() bool { return r.closed && !r.broken }

// Broken reports whether something that is behind the last chunk could not be read.
func (r *Reader) Broken() bool { return r.broken }

func (r *Reader) offset() int64 { return r.at - int64(len(r.rest)) }

// Next returns the next chunk, and whether there is something before it that could not be read; io.EOF when there is none. The chunk
// is good until the next call.
func (r *Reader) Next() (c Chunk, skipped bool, err error) {
	for !r.closed {
		if len(r.rest) < plainHeaderBytes || isPadding(r.rest) && len(r.block) == blockBytes {
			if !isZero(r.rest) {
				r.broken = true
			}
			if err := r.load(); err != nil {
				return c, false, err
			}
			continue
		}
		if r.frame.isTrailer(r.rest) {
			r.closed = true
			r.advance(logHeaderBytes)
			break
		}
		c, ok := r.frame.parse(r.rest)
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
func (r *Reader) advance(size int) {
	isSound := !r.broken && r.sound == r.end
	r.rest = r.rest[size:]
	r.gap, r.end = r.end, r.offset()
	if isSound {
		r.sound = r.end
	}
}

// load reads the next block.
func (r *Reader) load() error {
	if !r.broken {
		r.advance(len(r.rest))
	}
	n, err := io.ReadFull(r.from, r.block[:blockBytes])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	r.block = r.block[:n]
	r.rest = r.block
	r.at += int64(n)
	return nil
}

// resync moves on to the next place in the block from which on there are chunks to its end, or to its end.
func (r *Reader) resync() {
	for p := 1; p < len(r.rest); p++ {
		if _, ok := r.frame.parse(r.rest[p:]); ok && r.isChain(r.rest[p:]) {
			r.rest = r.rest[p:]
			return
		}
	}
	r.rest = nil
}

// isChain says that there is nothing but chunks, up to the end of what was written to the block. What only looks like a chunk, in the
// payload of one, is none.
func (r *Reader) isChain(b []byte) bool {
	for {
		c, ok := r.frame.parse(b)
		if !ok {
			return isZero(b) || r.frame.isTrailer(b)
		}
		b = b[c.size:]
	}
}

// RecordReader reads the records of a log.
type RecordReader struct {
	*Reader
	buffer []byte
}

// NewRecordReader returns a reader of the log with a number from its start.
func NewRecordReader(file io.ReaderAt, number uint64) *RecordReader {
	return &RecordReader{Reader: NewReader(file, Log(number))}
}

// Next returns the next record that is whole, which is good until the next call; io.EOF when there is none. It ends at the first place
// behind synced, an offset in the file, from which on something cannot be read: that is the torn end of a crash, and what is behind it
// may rest upon what is missing.
func (r *RecordReader) Next(synced int64) ([]byte, error) {
	inside := false
	for {
		c, gap, err := r.Reader.Next()
		if err != nil {
			return nil, err
		}
		if gap && r.gap >= synced {
			return nil, io.EOF
		}
		inside = (inside && !gap) || c.First
		if c.First {
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
