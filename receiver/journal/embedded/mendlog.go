package embedded

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// DamagedError says that a file of the store is damaged so that the store cannot be opened.
type DamagedError struct {
	// File is the path of the file.
	File string
	// Err says what is wrong with it.
	Err error
}

// Error names the file and says what to do.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged: %v; \"mailvane journal salvage\" moves what can be read into a new journal", e.File, e.Err)
}

// Unwrap returns what is wrong.
func (e *DamagedError) Unwrap() error { return e.Err }

// errDamaged says that a part of a file cannot be read.
var errDamaged = errors.New("a part of it that was written cannot be read")

// mender stands between the store and its files while it is opened: it gives the store what can be read of a damaged log, and refuses a
// damaged manifest.
type mender struct {
	storage vfs.FS
	dir     string
	options *pebble.Options
	marks   *marks
	// newest is the newest log: only its end may be torn.
	newest uint64
	// next is the number of the operation that comes after those of the logs that were read.
	next uint64
	// stored is how many events had been stored before the next batch; 0 = it is not known.
	stored uint64
	report func(damage)
	// lose is told how many events are known to be lost.
	lose func(events int)
}

// newestLog returns the number of the newest log, or 0.
func newestLog(storage vfs.FS, dir string) (newest uint64, err error) {
	names, err := storage.List(dir)
	for _, name := range names {
		if number, ok := logNumber(name); ok {
			newest = max(newest, number)
		}
	}
	return newest, err
}

// damage is what was found in a file.
type damage struct {
	file string
	// reason says for people what could not be read.
	reason string
}

func (m *mender) open(path string, file vfs.File) (vfs.File, error) {
	name := m.storage.PathBase(path)
	if number, ok := logNumber(name); ok {
		return m.openLog(path, number, file)
	}
	if number, ok := manifestNumber(name); ok {
		if err := checkManifest(file, m.marks.manifest.sizeIn(number)); err != nil {
			return nil, errors.Join(&DamagedError{File: path, Err: err}, file.Close())
		}
		return file, nil
	}
	if optionsName.MatchString(name) {
		return m.openOptions(path, file)
	}
	return file, nil
}

// checkManifest looks whether all of a manifest that was synced, and all that is before something that can be read, can be read.
func checkManifest(file vfs.File, synced int64) error {
	chunks := newChunkReader(newOffsetReader(file), frame{})
	skipped := false
	for {
		c, gap, err := chunks.next()
		skipped = skipped || gap
		switch {
		case skipped && c.first: // each record is synced before the next one is written
			return errDamaged
		case errors.Is(err, io.EOF) && chunks.sound >= synced:
			return nil
		case errors.Is(err, io.EOF):
			return errDamaged
		case err != nil:
			return err
		}
	}
}

// openOptions puts the present options in place of a file that is damaged: they say nothing that is needed to read the store.
func (m *mender) openOptions(path string, file vfs.File) (vfs.File, error) {
	text, err := io.ReadAll(newOffsetReader(file))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if m.options.CheckCompatibility(m.dir, string(text)) == nil {
		return file, nil
	}
	if err := m.keep(path, "it could not be read, and is not needed: no event is missing"); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return vfs.NewMemFile([]byte(m.options.String())), file.Close()
}

// openLog returns the log, or one of what can be read of it when it is damaged.
func (m *mender) openLog(path string, number uint64, file vfs.File) (vfs.File, error) {
	synced, sound, err := m.survey(number, file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if sound >= synced {
		return file, nil
	}
	s, err := readLog(newOffsetReader(file), uint32(number), synced, salvagedLog{next: m.next, stored: m.stored}, nil)
	if err == nil {
		m.next, m.stored = s.next, s.stored
		m.lose(s.lost)
		err = m.keep(path, s.String())
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return vfs.NewMemFile(s.image), file.Close()
}

// survey returns up to where a log was synced, as far as that is known, and up to where it can be read. What cannot be read behind
// that is the torn end of a crash.
func (m *mender) survey(number uint64, file vfs.File) (synced, sound int64, err error) {
	chunks := newChunkReader(newOffsetReader(file), frame{isLog: true, number: uint32(number)})
	synced = m.marks.log.sizeIn(number)
	broken := false
	for {
		c, gap, err := chunks.next()
		broken = broken || gap || chunks.broken
		synced = max(synced, c.synced)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, 0, err
		}
	}
	if number != m.newest && broken {
		synced = math.MaxInt64 // it was closed before the next one was written
	}
	return synced, chunks.sound, nil
}

// keep keeps a damaged file for whoever wants to look at it, and reports it. What refers to it is checked when the store is open.
func (m *mender) keep(path, reason string) error {
	if err := keepDamaged(m.storage, m.dir, path); err != nil {
		return fmt.Errorf("keep the damaged %s: %w", path, err)
	}
	m.report(damage{file: m.storage.PathBase(path), reason: reason})
	return nil
}

// salvagedLog is what could be read of a log.
type salvagedLog struct {
	image   []byte
	batches int
	// missing counts the operations that are missing, but for those at the end if uncounted; lost counts the events among them.
	missing   uint64
	lost      int
	uncounted bool
	// next is the number of the next operation, and stored how many events were stored before it; 0 = it is not known.
	next, stored uint64
}

// String says for people what is missing.
func (s *salvagedLog) String() string {
	missing := fmt.Sprintf("%d operations are missing", s.missing)
	switch {
	case s.uncounted && s.missing == 0:
		missing = "operations at its end are missing"
	case s.uncounted:
		missing += " and more at its end"
	}
	return fmt.Sprintf("%d batches could be read, %s, %d events among them", s.batches, missing, s.lost)
}

// readLog reads what can be read of a log that was synced up to there, and comes after another one. each is called with every batch;
// nil = nothing is. The batch is good during the call.
func readLog(from io.Reader, number uint32, synced int64, before salvagedLog, each func(record []byte)) (*salvagedLog, error) {
	s := &salvagedLog{next: before.next, stored: before.stored}
	records := &recordReader{chunkReader: newChunkReader(from, frame{isLog: true, number: number})}
	for {
		record, err := records.next(synced)
		if errors.Is(err, io.EOF) {
			s.uncounted = !records.closed || records.broken
			s.image = appendTrailer(s.image, number)
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		if s.add(record, number) && each != nil {
			each(record)
		}
	}
}

// add takes a batch, unless it is none, or is not behind the last one.
func (s *salvagedLog) add(record []byte, number uint32) bool {
	header, ok := batchrepr.ReadHeader(record)
	if !ok || header.Count == 0 || uint64(header.SeqNum) < s.next || !isBatch(record, header.Count) {
		return false
	}
	if s.next > 0 {
		s.missing += uint64(header.SeqNum) - s.next
	}
	s.next = uint64(header.SeqNum) + uint64(header.Count)
	s.batches++
	s.countEvents(record)
	s.image = appendRecord(s.image, number, record)
	return true
}

// countEvents finds out how many events are missing before a batch that stores some: each says how many there were up to it.
func (s *salvagedLog) countEvents(record []byte) {
	stored, own := uint64(0), 0
	for r := batchrepr.Read(record); ; {
		kind, key, value, ok, err := r.Next()
		if err != nil || !ok {
			break
		}
		switch {
		case kind != pebble.InternalKeyKindSet || len(key) == 0:
		case key[0] == tableEvents:
			b, _ := decodeBundle(value, nil)
			own += len(b.events)
		case string(key) == metaNext:
			fields := reader{rest: value}
			fields.uvarint()
			fields.uvarint()
			stored = fields.uvarint()
		}
	}
	if stored == 0 {
		return
	}
	if before := stored - uint64(own); s.stored > 0 && before > s.stored {
		s.lost += int(before - s.stored)
	}
	s.stored = stored
}

// isBatch says whether a record is a batch of count operations.
func isBatch(record []byte, count uint32) bool {
	r := batchrepr.Read(record)
	for n := uint32(0); ; n++ {
		_, _, _, ok, err := r.Next()
		if err != nil || !ok {
			return err == nil && n == count
		}
	}
}

// offsetReader reads a file from its start and leaves its own position alone.
type offsetReader struct {
	file   io.ReaderAt
	offset int64
}

func newOffsetReader(file io.ReaderAt) *offsetReader { return &offsetReader{file: file} }

// Read reads on.
func (r *offsetReader) Read(p []byte) (int, error) {
	n, err := r.file.ReadAt(p, r.offset)
	r.offset += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}
