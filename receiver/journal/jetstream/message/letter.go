package message

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
)

// LetterAllowance is what the dead letter of an event may take beyond the event: one that did not fit could never be given up.
const LetterAllowance = 4 << 10

// The headers of a dead letter's message. Its data is the payload.
const (
	headerLetter = "Mailvane-Letter" // everything but the payload and the headers of the request, as JSON
	headerField  = "Mailvane-Field"  // one header of the request, "Name: value"
)

// letter is a dead letter in a message's header.
type letter struct {
	Cause      journal.Cause `json:"cause"`
	Reason     string        `json:"reason"`
	Endpoint   string        `json:"endpoint,omitzero"`
	Route      string        `json:"route,omitzero"`
	Sink       string        `json:"sink,omitzero"`
	EventID    string        `json:"eventId,omitzero"`
	Unverified bool          `json:"unverified,omitzero"`
	Attempts   int           `json:"attempts,omitzero"`
	At         int64         `json:"at"`
}

func (s Subjects) letterMessage(d *journal.DeadLetter) (*nats.Msg, error) {
	text, err := json.Marshal(letter{
		Cause: d.Cause, Reason: journal.Reason(d.Reason), Endpoint: d.Endpoint, Route: d.Route, Sink: d.Sink, EventID: d.EventID,
		Unverified: d.Unverified, Attempts: d.Attempts, At: d.At.UnixMilli(),
	})
	if err != nil {
		return nil, fmt.Errorf("encode a dead letter: %w", err)
	}
	header := nats.Header{headerLetter: {string(text)}}
	for name, value := range d.Header {
		header.Add(headerField, name+": "+value)
	}
	if d.DedupeKey != "" {
		header.Set(jetstream.MsgIDHeader, ID(d.DedupeKey))
	}
	return &nats.Msg{Subject: s.DeadLetters(), Header: header, Data: slices.Clone(d.Payload)}, nil
}

// ReadLetter reads the dead letter with a number in the stream. The error says that the header is none of [Subjects.Letter].
func ReadLetter(id uint64, header nats.Header, payload []byte) (journal.DeadLetter, error) {
	var l letter
	if err := json.Unmarshal([]byte(header.Get(headerLetter)), &l); err != nil {
		return journal.DeadLetter{}, fmt.Errorf("read dead letter %d: %w", id, err)
	}
	d := journal.DeadLetter{
		ID: id, Cause: l.Cause, Reason: l.Reason, Endpoint: l.Endpoint, Route: l.Route, Sink: l.Sink, EventID: l.EventID,
		Unverified: l.Unverified, Attempts: l.Attempts, At: time.UnixMilli(l.At).UTC(), Payload: payload,
	}
	for _, field := range header.Values(headerField) {
		if d.Header == nil {
			d.Header = map[string]string{}
		}
		name, value, _ := strings.Cut(field, ": ")
		d.Header[name] = value
	}
	return d, nil
}

// Letter returns the message of a dead letter, with as much of its payload as fits into room bytes.
func (s Subjects) Letter(d *journal.DeadLetter, room int) (*nats.Msg, error) {
	message, err := s.letterMessage(d)
	if err != nil {
		return nil, err
	}
	over := message.Size() - room
	if over <= 0 {
		return message, nil
	}
	cut := *d
	cut.Payload = d.Payload[:max(0, len(d.Payload)-over-LetterAllowance)]
	cut.Reason = fmt.Sprintf("%s (the first %d of its %d bytes; the servers' max_payload allows no more)", journal.Reason(d.Reason), len(cut.Payload), len(d.Payload))
	return s.letterMessage(&cut)
}

// Largest returns the size of the largest message, in bytes.
func Largest(messages []*nats.Msg) int {
	size := 0
	for _, m := range messages {
		size = max(size, m.Size())
	}
	return size
}

// LargeLetter is the dead letter of an event that is larger than what the servers take. It holds how the event begins, as far as
// that fits: whoever sends such an event again would never get another answer, and the events beside it must not wait for it.
func LargeLetter(b *journal.Batch, e *journal.Entry, size, room int) journal.DeadLetter {
	d := journal.DeadLetter{
		Cause: journal.CauseTooLarge, Endpoint: b.Endpoint, At: e.AcceptedAt, Unverified: b.Unverified, Payload: e.Payload,
		Reason: fmt.Sprintf("an event of %d bytes is larger than the max_payload of the NATS servers allows, %d; this is how it begins", size, room),
	}
	if len(e.Sinks) > 0 {
		d.Sink = e.Sinks[0]
	}
	if len(e.DedupeKeys) > 0 {
		d.DedupeKey = e.DedupeKeys[0] + "\x00large"
	}
	return d
}
