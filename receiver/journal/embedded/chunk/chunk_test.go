package chunk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/record"
)

const testLog = 1<<32 + 7 // chunks carry the lower half

// records returns records of sizes that end at, before and behind the borders of blocks.
func records() [][]byte {
	var all [][]byte
	for n, size := range []int{0, 1, 100, blockBytes - 150, 3, blockBytes - logHeaderBytes, 2*blockBytes + 5, 17} {
		all = append(all, bytes.Repeat([]byte{byte('a' + n)}, size))
	}
	return all
}

func image(records [][]byte) (image []byte) {
	for _, r := range records {
		image = AppendRecord(image, testLog, r)
	}
	return AppendTrailer(image, testLog)
}

// readAll returns all records of a log of which so much is known to be synced.
func readAll(t *testing.T, image []byte, synced int64) (all [][]byte, r *RecordReader) {
	t.Helper()
	r = NewRecordReader(bytes.NewReader(image), testLog)
	for {
		next, err := r.Next(synced)
		if errors.Is(err, io.EOF) {
			return all, r
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.Clone(next))
	}
}

// TestPebbleReadsWhatIsWritten has the reader of the store read the image of a log.
func TestPebbleReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	from := record.NewReader(bytes.NewReader(image(records())), testLog)
	for n, want := range records() {
		next, err := from.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(next); err != nil || !bytes.Equal(got, want) {
			t.Errorf("record %d: %d bytes, %v, want %d", n, len(got), err, len(want))
		}
	}
	if _, err := from.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last record: %v", err)
	}
}

// TestWhatPebbleWritesIsRead reads a manifest of the writer of the store.
func TestWhatPebbleWritesIsRead(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := record.NewWriter(&file)
	for _, r := range records() {
		if _, err := w.WriteRecord(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, first := NewReader(bytes.NewReader(file.Bytes()), Frame{}), 0
	for {
		c, skipped, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || skipped {
			t.Fatalf("skipped %v, %v", skipped, err)
		}
		if c.First {
			first++
		}
	}
	if first != len(records()) || r.Sound() != int64(file.Len()) || r.Broken() {
		t.Errorf("%d records in %d of %d bytes", first, r.Sound(), file.Len())
	}
}

// TestOneByteCostsLittle damages a log here and there: what is read was written, in order, and at most what the block held is missing.
func TestOneByteCostsLittle(t *testing.T) {
	t.Parallel()
	var all [][]byte
	for n := range 300 {
		all = append(all, fmt.Appendf(nil, "record %d %*d", n, 400, 0))
	}
	whole := image(all)
	if got, r := readAll(t, whole, math.MaxInt64); len(got) != len(all) || !r.Whole() || r.Sound() != int64(len(whole)) {
		t.Fatalf("%d records of an image that is whole, sound up to %d of %d", len(got), r.Sound(), len(whole))
	}
	for at := 0; at < len(whole); at += 997 {
		broken := bytes.Clone(whole)
		broken[at] ^= 0x55
		got, r := readAll(t, broken, math.MaxInt64)
		from := 0
		for _, one := range got {
			n := slices.IndexFunc(all[from:], func(r []byte) bool { return bytes.Equal(r, one) })
			if n < 0 {
				t.Fatalf("byte %d: %.20q was never written, or not at this place", at, one)
			}
			from += n + 1
		}
		if len(got) < len(all)-4 || r.Sound() > int64(at) {
			t.Errorf("byte %d: %d of %d records, sound up to %d", at, len(got), len(all), r.Sound())
		}
		torn, _ := readAll(t, broken, 0)
		if !slices.EqualFunc(got[:len(torn)], torn, bytes.Equal) || len(torn) > at/400 {
			t.Errorf("byte %d: what is behind the torn end of a crash is read: %d records", at, len(torn))
		}
	}
}

// TestOtherLogsAreNotRead reads chunks of a log whose file is used again for another.
func TestOtherLogsAreNotRead(t *testing.T) {
	t.Parallel()
	r := NewRecordReader(bytes.NewReader(image(records())), testLog+1)
	if got, err := r.Next(math.MaxInt64); !errors.Is(err, io.EOF) {
		t.Errorf("%.20q, %v", got, err)
	}
}

// FuzzReader reads what was never written: it ends, and finds no more than there is.
func FuzzReader(f *testing.F) {
	small := image([][]byte{[]byte("one"), nil, []byte("three")})
	f.Add(small, int64(0))
	f.Add(append(bytes.Clone(small[:9]), small...), int64(math.MaxInt64))
	f.Add(make([]byte, blockBytes+100), int64(1))
	f.Fuzz(func(t *testing.T, file []byte, synced int64) {
		size := 0
		all, r := readAll(t, file, synced)
		for _, one := range all {
			size += len(one)
		}
		if size > len(file) || r.Sound() > int64(len(file)) {
			t.Errorf("%d bytes, sound up to %d, of %d", size, r.Sound(), len(file))
		}
		m := NewReader(bytes.NewReader(file), Frame{})
		for err := error(nil); err == nil; _, _, err = m.Next() {
		}
		if m.Sound() > int64(len(file)) {
			t.Errorf("sound up to %d of %d", m.Sound(), len(file))
		}
	})
}
