// Package journal defines how accepted events are stored until every sink that is owed them has them.
// It knows entries and sinks by name, not providers. Its implementations pass the suite in journaltest.
package journal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrFull says that the space bound is reached. Nothing of the batch was stored; later appends may succeed.
	ErrFull = errors.New("journal is full")
	// ErrShare says that the share of those who append is used up; others may append. It is an [ErrFull].
	ErrShare = fmt.Errorf("%w for this endpoint", ErrFull)
	// ErrDeadLetters says that a batch has dead letters and that there is no room for more; others may be appended. It is an [ErrFull].
	ErrDeadLetters = fmt.Errorf("%w of dead letters", ErrFull)
	// ErrUnavailable says that the storage cannot take or give entries now. Nothing of the batch was acknowledged.
	ErrUnavailable = errors.New("journal is unavailable")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("journal is closed")
	// ErrNotFound says that there is no dead letter with that id.
	ErrNotFound = errors.New("no such dead letter")
)

// Journal stores entries durably. All methods are safe for concurrent use.
type Journal interface {
	// Append stores a batch as a whole and returns once it is on stable storage: after a crash at any later point every
	// entry is still there. Entries that are duplicates are left out and counted. On an error nothing may be acknowledged.
	Append(ctx context.Context, b Batch) (Receipt, error)
	// Queue returns the queue of one sink. There is one consumer per sink at a time, also where several processes share the
	// storage: Fetch waits in all of them but one.
	Queue(sink string) Queue
	// DeadLetters returns the store of what could not be delivered or decoded.
	DeadLetters() DeadLetters
	// Present returns by which time what is stored is old. It is that of a clock that does not jump: where the clock of the machine
	// does, it lags behind. The zero time = nothing is old.
	Present() time.Time
	// Stats returns a snapshot of what is stored.
	Stats() Stats
	// Close stops everything. Entries that are leased stay owed.
	Close() error
}

// Shared is what a journal implements beside [Journal] if several receivers have it in common.
type Shared interface {
	// SharedName returns the same text in every process that uses the same journal, and another for any other journal.
	// It holds no credential.
	SharedName() string
}

// Bounded is what a journal implements beside [Journal] if an entry can be too large for it.
type Bounded interface {
	// MaxPayload returns how many bytes the payload of an entry may have, about; 0 = that is not known yet.
	MaxPayload() int
}

// History is the name of the queue of the history, which no sink has: theirs are "namespace/name". An event that no route takes is owed to it
// alone.
const History = "history"

// Batch is what one request adds, all or nothing.
type Batch struct {
	// Entries are the events to store.
	Entries []Entry
	// DeadLetters are stored beside them.
	DeadLetters []DeadLetter
	// Endpoint names who appends, so that no one takes the space of all; empty = whatever is added has been accepted before.
	Endpoint string
	// Unverified says that it may come from anybody: it is refused before it takes space from what is genuine.
	Unverified bool
	// Alike says that the entries repeat most of what the others hold, so that it is worth the time to store them compressed.
	Alike bool
	// Resolves names dead letters that this batch replaces: they are removed in the same step.
	Resolves []uint64
}

// Entry is one event and what it is owed to.
type Entry struct {
	// DedupeKeys identify the event. An entry with any key that was appended inside the dedupe window, or earlier in the
	// same batch, is a duplicate. None = never a duplicate.
	DedupeKeys []string
	// KeyHashes are further dedupe keys, of which only the hash is known.
	KeyHashes []KeyHash
	// OrderingKey groups the entries that a sink may want in order.
	OrderingKey string
	// Sinks are the distinct names of the sinks that the event is owed to. None = only its dedupe keys are kept.
	Sinks []string
	// AcceptedAt is when the receiver accepted the event.
	AcceptedAt time.Time
	// Payload is the encoded event. Append does not keep it once it has returned nil; after an error it may still be read, and
	// must not be changed.
	Payload []byte
}

// KeyHash is what is kept of a dedupe key: enough that 10^12 keys collide with a chance of 10^-15.
type KeyHash [16]byte

// HashKey returns the hash of a dedupe key, the first 16 bytes of its SHA-256.
func HashKey(key string) KeyHash {
	var scratch [256]byte // longer than most
	sum := sha256.Sum256(append(scratch[:0], key...))
	return KeyHash(sum[:len(KeyHash{})])
}

// KeyKeeper is what a journal implements beside [Journal] if its dedupe keys can be given to another.
type KeyKeeper interface {
	// KeyHashes calls yield with the keys of the dedupe window, newest generation first, until it returns false.
	KeyHashes(ctx context.Context, yield func(KeyHash) bool) error
}

// Receipt counts what an Append did.
type Receipt struct {
	// Accepted counts the entries that were stored.
	Accepted int
	// Duplicates counts the entries that were left out because they had been stored before.
	Duplicates int
	// DeadLettered counts the dead letters that were stored.
	DeadLettered int
}

// Queue hands out what one sink is owed, oldest first, at least once.
type Queue interface {
	// Fetch leases up to limit deliveries that are due, oldest first. It waits until there is at least one, and returns
	// ctx's error or [ErrClosed] otherwise. A lease lasts until it is settled or the journal is closed; after a restart
	// everything that is owed is due at once, in the order in which it was appended, whatever time had been set.
	Fetch(ctx context.Context, limit Limit) ([]Delivery, error)
	// Settle ends leases, each once. After a crash a settlement that was not yet on stable storage is forgotten and the delivery is made again.
	// It refuses what [CheckSettlements] refuses, as a whole.
	Settle(ctx context.Context, settlements []Settlement) error
}

// Limit bounds a Fetch.
type Limit struct {
	// Events is the largest number of deliveries, at least 1.
	Events int
	// Bytes bounds the sum of payload sizes; one delivery is returned however large it is. 0 = no bound.
	Bytes int
}

// Delivery is one entry leased to one sink.
type Delivery struct {
	// Sequence identifies the delivery within its queue and grows with time.
	Sequence uint64
	// OrderingKey is the entry's.
	OrderingKey string
	// AcceptedAt is the entry's, in milliseconds resolution.
	AcceptedAt time.Time
	// Attempts counts the attempts that were settled as [Retry] before this lease; a journal that several processes share may
	// begin again when another process takes the queue over.
	Attempts int
	// Payload is the encoded event. It must not be changed, and is good until the delivery is settled: its memory is used again.
	Payload []byte
	// Sinks are what the entry was owed to at first, but for [History]; only deliveries of that queue have them, and only where SinksKnown.
	Sinks      []string `json:"-"`
	SinksKnown bool     `json:"-"`
	// Lease is the journal's own and means nothing to another: it tells apart two leases of the same delivery.
	Lease uint64 `json:"-"`
}

// Outcome says what became of a lease.
type Outcome int

// The outcomes of a lease.
const (
	// Delivered says that the sink has the event.
	Delivered Outcome = iota
	// Retry says that the attempt failed and that the next is due at Settlement.At.
	Retry
	// Defer says that no attempt was made; the delivery is due again at Settlement.At.
	Defer
	// Dead says that the event goes to the dead letters.
	Dead
)

// Settlement ends leases that ended alike.
type Settlement struct {
	// Deliveries are what Fetch returned: one if they are Dead, else any number.
	Deliveries []Delivery
	// Outcome says how they ended.
	Outcome Outcome
	// At is when a Retry or Defer is due. Deliveries that are due at the same millisecond keep their order.
	At time.Time
	// DeadLetter describes a Dead delivery; its Sink, Attempts and Payload are filled in by the journal. Nil for all others.
	DeadLetter *DeadLetter
}

// CheckSettlements returns an error when one of them has no known outcome, or is a Dead one without a dead letter or without
// exactly one delivery. Every implementation of [Queue.Settle] refuses such a list as a whole.
func CheckSettlements(settlements []Settlement) error {
	for i := range settlements {
		switch s := &settlements[i]; {
		case s.Outcome < Delivered || s.Outcome > Dead:
			return fmt.Errorf("settlement %d has unknown outcome %d", i, s.Outcome)
		case s.Outcome == Dead && s.DeadLetter == nil:
			return fmt.Errorf("settlement %d is dead without a dead letter", i)
		case s.Outcome == Dead && len(s.Deliveries) != 1:
			return fmt.Errorf("settlement %d is one dead letter for %d deliveries", i, len(s.Deliveries))
		}
	}
	return nil
}
