// Package format is how a store of the embedded journal holds events, what is owed of them, and dead letters: the keys and the values, which
// docs/design/001-embedded-journal.md describes. It reads and writes no files. Numbers in keys are big-endian, so that they sort, and those in
// values are varints. What cannot be decoded is [ErrMalformed] and takes no memory beyond what was read.
package format

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/journal"
)

// The version of the keys and values, as stores hold it under [MetaFormat].
const (
	// Version is that of this package.
	Version = "4"
	// VersionBefore is that of the release before, of which all is read: it has no compressed bundles.
	VersionBefore = "3"
)

// ErrMalformed says that a value is none that this package writes.
var ErrMalformed = errors.New("stored value is malformed")

// reader reads fields one by one and keeps the first error.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.err, r.rest = ErrMalformed, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// uvarints returns the bytes of count numbers.
func (r *reader) uvarints(count uint64) []byte {
	from := r.rest
	for n := uint64(0); n < count && r.err == nil; n++ {
		r.uvarint()
	}
	return from[:len(from)-len(r.rest)]
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.err, r.rest = ErrMalformed, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// deadLetterRecord is what TableDeadLetters holds: a dead letter without its id and payload.
type deadLetterRecord struct {
	Cause      journal.Cause     `json:"cause"`
	Reason     string            `json:"reason,omitzero"`
	Endpoint   string            `json:"endpoint,omitzero"`
	Route      string            `json:"route,omitzero"`
	Sink       string            `json:"sink,omitzero"`
	EventID    string            `json:"eventId,omitzero"`
	Unverified bool              `json:"unverified,omitzero"`
	Attempts   int               `json:"attempts,omitzero"`
	At         uint64            `json:"at"`
	Header     map[string]string `json:"header,omitzero"`
	// Size is the length of the payload; 0 in what an older release wrote.
	Size int64 `json:"size,omitzero"`
}

// EncodeDeadLetter encodes a dead letter without its payload. Its reason is cut as [journal.Reason] says.
func EncodeDeadLetter(d *journal.DeadLetter) ([]byte, error) {
	v, err := json.Marshal(deadLetterRecord{
		Cause: d.Cause, Reason: journal.Reason(d.Reason), Endpoint: d.Endpoint, Route: d.Route, Sink: d.Sink,
		EventID: d.EventID, Unverified: d.Unverified, Attempts: d.Attempts, At: ToMillis(d.At), Header: d.Header,
		Size: int64(len(d.Payload)),
	}, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("dead letter cannot be encoded: %w", err)
	}
	return v, nil
}

// DecodeDeadLetter reads what EncodeDeadLetter wrote.
func DecodeDeadLetter(id uint64, value []byte) (journal.DeadLetter, error) {
	var r deadLetterRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return journal.DeadLetter{}, fmt.Errorf("dead letter %d: %w", id, err)
	}
	return journal.DeadLetter{
		ID: id, Cause: r.Cause, Reason: r.Reason, Endpoint: r.Endpoint, Route: r.Route, Sink: r.Sink,
		EventID: r.EventID, Unverified: r.Unverified, Attempts: r.Attempts, At: FromMillis(r.At), Header: r.Header,
	}, nil
}

// LetterPayloadSize returns the size of the payload that belongs to the record of a dead letter, in bytes; 0 = an earlier release wrote it,
// and it does not say.
func LetterPayloadSize(record []byte) (int64, error) {
	var r struct {
		Size int64 `json:"size"`
	}
	err := json.Unmarshal(record, &r)
	return r.Size, err
}

// EncodeNumbers encodes numbers, as entries of TableMeta and TableSinks hold them.
func EncodeNumbers(numbers ...uint64) []byte {
	var v []byte
	for _, n := range numbers {
		v = binary.AppendUvarint(v, n)
	}
	return v
}

const maxSinkID = 1<<32 - 1

// DecodeSink reads an entry of TableSinks. The error wraps [ErrMalformed].
func DecodeSink(key, value []byte) (name string, id uint32, err error) {
	name = string(key[1:])
	r := reader{rest: value}
	n := r.uvarint()
	if r.err != nil || n > maxSinkID {
		return name, 0, fmt.Errorf("sink %q: %w", name, ErrMalformed)
	}
	return name, uint32(n), nil
}

// DecodeNumbers reads the first of what [EncodeNumbers] wrote into numbers. An earlier release may have stored fewer, at least one; those
// stay as they are. The error is [ErrMalformed].
func DecodeNumbers(value []byte, numbers []uint64) error {
	r := reader{rest: value}
	for i := range numbers {
		if len(r.rest) == 0 && i > 0 {
			break
		}
		n := r.uvarint()
		if r.err != nil {
			return r.err
		}
		numbers[i] = n
	}
	return nil
}

// ToMillis counts milliseconds since 1970; times before that count as 1970.
func ToMillis(t time.Time) uint64 { return uint64(max(t.UnixMilli(), 0)) }

// FromMillis returns the time so many milliseconds after 1970, in UTC.
func FromMillis(ms uint64) time.Time { return time.UnixMilli(int64(ms)).UTC() }
