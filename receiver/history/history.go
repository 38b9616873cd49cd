// Package history defines how what was accepted is remembered with what became of it, so that it can be found by recipient, message or
// id. It is behind the answer to a request and never in front of it: what it cannot keep costs neither an event nor a sink.
// Its implementations pass the suite in historytest.
package history

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
)

var (
	// ErrNewer says that a later release has written the store. It is left as it is.
	ErrNewer = errors.New("the history was written by a later release")
	// ErrFull says that nothing can be kept now, since the file system has too little space left.
	ErrFull = errors.New("there is no space for the history")
	// ErrCursor says that a cursor is none of this store, which may have been made anew: begin without one.
	ErrCursor = errors.New("the cursor belongs to another history; begin without one")
)

// Writer takes what happens.
type Writer interface {
	// Append keeps a batch, as a whole, and returns once its events are on stable storage. An event that comes twice, as after a crash,
	// is found once.
	Append(ctx context.Context, b Batch) error
}

// Reader answers what happened.
type Reader interface {
	// Search returns a page of the events that a query selects. Its cost is bounded whatever the query is: a page may be short, or
	// empty, and have a Next all the same.
	Search(ctx context.Context, q Query) (Page, error)
	// Refusals returns up to limit of the latest requests that were refused, the latest first.
	Refusals(ctx context.Context, limit int) ([]Refusal, error)
}

// Keeper says what is kept, and removes some of it. What is too old or too much goes by itself.
type Keeper interface {
	// Erase removes every event that names a recipient, whatever the case of its letters, for good, and returns how many there were. It
	// leaves a note of when it was done, of how many events there were and of who asked, without the recipient.
	Erase(ctx context.Context, e Erasure) (events int, err error)
	// Stats returns a snapshot of what is kept.
	Stats() Stats
	// Close stops everything. What was appended stays.
	Close() error
}

// Store keeps a history. All methods are safe for concurrent use.
type Store interface {
	Writer
	Reader
	Keeper
}

// Batch is what is kept in one step.
type Batch struct {
	Events   []Event
	Attempts []Attempt
	Refusals []Refusal
}

// Event is one event that was accepted.
type Event struct {
	// AcceptedAt is when the receiver accepted it, in milliseconds resolution.
	AcceptedAt time.Time
	// Sinks are those that it was owed to at first; empty = no route took it, unless SinksUnknown.
	Sinks []string
	// SinksUnknown says that it is not known which sinks it was owed to: another pod handed it off.
	SinksUnknown bool
	// Payload is the encoded event.
	Payload []byte
}

// Key names an event in short: one id of one endpoint.
type Key [8]byte

// KeyOf returns the key of an event with an id and a source, or the "namespace/name" of its endpoint.
func KeyOf(id, source []byte) Key {
	var scratch [256]byte
	text := append(scratch[:0], event.EndpointOf(string(source))...)
	text = append(append(text, 0), id...)
	sum := sha256.Sum256(text)
	return Key(sum[:len(Key{})])
}

// Outcome says how an attempt ended, or what else became of what a sink is owed.
type Outcome byte

// The outcomes. They are stored by their numbers.
const (
	// Delivered says that the sink has the event.
	Delivered Outcome = 1
	// Failed says that it has not, and that it is tried again.
	Failed Outcome = 2
	// Dead says that the event became a dead letter.
	Dead Outcome = 3
	// Retried says that a person had the dead letter delivered again.
	Retried Outcome = 4
	// Dropped says that a person removed the dead letter.
	Dropped Outcome = 5
)

// String returns the name of the outcome.
func (o Outcome) String() string {
	switch o {
	case Delivered:
		return "Delivered"
	case Failed:
		return "Failed"
	case Dead:
		return "DeadLetter"
	case Retried:
		return "Retried"
	case Dropped:
		return "Dropped"
	default:
		return "Unknown"
	}
}

// isFinal reports whether nothing more happens to the event at the sink by itself.
func (o Outcome) isFinal() bool { return o == Delivered || o == Dead || o == Dropped }

// MaxAnswerBytes bounds what is kept of the answer of a destination.
const MaxAnswerBytes = 200

// Attempt is one try to send events to a sink, with the same outcome for all of them.
type Attempt struct {
	// Sink is the name of the sink, "namespace/name".
	Sink string
	// At is when it ended, and Took how long it took, both in milliseconds resolution.
	At   time.Time
	Took time.Duration
	// Outcome says how it ended.
	Outcome Outcome
	// Answer is how what the destination or the connection said begins, of an attempt that failed: at most MaxAnswerBytes, on one line.
	Answer string
	// Events are those that were sent.
	Events []Sent
}

// Sent is one event of an attempt.
type Sent struct {
	Key Key
	// AcceptedAt is when it was accepted: of attempts that failed, one is kept for each doubling of the time that has passed since.
	AcceptedAt time.Time
}

// Refusal is a request that was not authentic. Nothing of its body is kept.
type Refusal struct {
	// At is when it came.
	At time.Time `json:"time"`
	// Endpoint is the "namespace/name" of the endpoint, and Reason why it was refused.
	Endpoint string `json:"endpoint"`
	Reason   string `json:"reason"`
	// Address is that of the client.
	Address string `json:"address,omitzero"`
	// Headers are the names of its headers, at most MaxHeaders, sorted.
	Headers []string `json:"headers,omitzero"`
	// Size is that of its body in bytes, as far as it was said or read.
	Size int64 `json:"size,omitzero"`
	// More counts the refusals of the same endpoint that were left out before this one.
	More int `json:"more,omitzero"`
}

// Erasure says what to erase.
type Erasure struct {
	// Recipient is the address.
	Recipient string
	// By is who asked for it.
	By string
	// CountAlone has nothing erased: the events are counted.
	CountAlone bool
}

// Stats is a snapshot of a store.
type Stats struct {
	// Events counts the events that are kept, about.
	Events int64
	// UsedBytes and MaxBytes are the space taken on the device and its bound.
	UsedBytes, MaxBytes int64
	// Oldest is about when the oldest of them was stored; zero = there is none.
	Oldest time.Time
	// Problem says for people why nothing can be kept now, and what to do; empty = it can.
	Problem string
}
