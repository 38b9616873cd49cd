package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/journal"
)

// formatVersion is the version of the keys and values in this package. A store with another one is refused, but for formatBefore, of
// which all that it has is read: it has no compressed bundles.
const (
	formatVersion = "4"
	formatBefore  = "3"
)

var errMalformed = errors.New("stored value is malformed")

// reader reads fields one by one and keeps the first error.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.err, r.rest = errMalformed, nil
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
		r.err, r.rest = errMalformed, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// deadLetterRecord is what tableDeadLetters holds: a dead letter without its id and payload.
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

func encodeDeadLetter(d *journal.DeadLetter) ([]byte, error) {
	v, err := json.Marshal(deadLetterRecord{
		Cause: d.Cause, Reason: journal.Reason(d.Reason), Endpoint: d.Endpoint, Route: d.Route, Sink: d.Sink,
		EventID: d.EventID, Unverified: d.Unverified, Attempts: d.Attempts, At: toMillis(d.At), Header: d.Header,
		Size: int64(len(d.Payload)),
	}, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("dead letter cannot be encoded: %w", err)
	}
	return v, nil
}

func decodeDeadLetter(id uint64, value []byte) (journal.DeadLetter, error) {
	var r deadLetterRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return journal.DeadLetter{}, fmt.Errorf("dead letter %d: %w", id, err)
	}
	return journal.DeadLetter{
		ID: id, Cause: r.Cause, Reason: r.Reason, Endpoint: r.Endpoint, Route: r.Route, Sink: r.Sink,
		EventID: r.EventID, Unverified: r.Unverified, Attempts: r.Attempts, At: fromMillis(r.At), Header: r.Header,
	}, nil
}

func encodeNumbers(numbers ...uint64) []byte {
	var v []byte
	for _, n := range numbers {
		v = binary.AppendUvarint(v, n)
	}
	return v
}

// toMillis counts milliseconds since 1970; times before that count as 1970.
func toMillis(t time.Time) uint64 { return uint64(max(t.UnixMilli(), 0)) }

func fromMillis(ms uint64) time.Time { return time.UnixMilli(int64(ms)).UTC() }
