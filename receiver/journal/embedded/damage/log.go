package damage

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"

	"github.com/mailvane/mailvane/receiver/journal/embedded/chunk"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
)

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
func readLog(file io.ReaderAt, number uint64, synced int64, before salvagedLog, each func(record []byte)) (*salvagedLog, error) {
	s := &salvagedLog{next: before.next, stored: before.stored}
	records := chunk.NewRecordReader(file, number)
	for {
		record, err := records.Next(synced)
		if errors.Is(err, io.EOF) {
			s.uncounted = !records.Whole()
			s.image = chunk.AppendTrailer(s.image, number)
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
func (s *salvagedLog) add(record []byte, number uint64) bool {
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
	s.image = chunk.AppendRecord(s.image, number, record)
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
		case key[0] == format.TableEvents:
			b, _ := format.DecodeBundle(value, nil)
			own += len(b.Events)
		case string(key) == format.MetaNext:
			var next [3]uint64
			_ = format.DecodeNumbers(value, next[:]) // what is malformed says nothing
			stored = next[2]
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

// isBatch reports whether a record is a batch of count operations.
func isBatch(record []byte, count uint32) bool {
	r := batchrepr.Read(record)
	for n := uint32(0); ; n++ {
		_, _, _, ok, err := r.Next()
		if err != nil || !ok {
			return err == nil && n == count
		}
	}
}
