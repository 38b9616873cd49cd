// Package suppression says to whom no mail should go any more, by the events of all providers. Its rules are pure; stores keep the rows.
package suppression

import (
	"context"
	"errors"
	"io"
	"time"
)

// Class is why an address is suppressed.
type Class string

// The classes. Each is released by other things: see [Of].
const (
	// Bounce: a hard bounce.
	Bounce Class = "bounce"
	// Complaint: the recipient complained.
	Complaint Class = "complaint"
	// Unsubscribe: the recipient unsubscribed.
	Unsubscribe Class = "unsubscribe"
	// Listed: the provider put the address on its own list.
	Listed Class = "listed"
	// Manual: a person did.
	Manual Class = "manual"
)

// Classes returns all classes.
func Classes() []Class { return []Class{Bounce, Complaint, Unsubscribe, Listed, Manual} }

// Everything is the scope of all mail.
const Everything = "*"

// Key names a row.
type Key struct {
	Address, Scope string
	Class          Class
}

// Origin is what caused a change.
type Origin struct {
	// ID is that of the event; of a person's change what they said of it.
	ID string `json:"id"`
	// Source, Provider, Event and Reason are those of the event: its CloudEvents source, its provider, the provider's name of it, and the words
	// or the code of the refusal.
	Source   string `json:"source,omitzero"`
	Provider string `json:"provider,omitzero"`
	Event    string `json:"event,omitzero"`
	Reason   string `json:"reason,omitzero"`
}

// Change suppresses an address, or releases it.
type Change struct {
	Key
	// At is the provider's time, in microseconds resolution.
	At time.Time
	// Releases says that it does not suppress.
	Releases bool
	Origin   Origin
}

// ErrMissing says that a store has no table.
var ErrMissing = errors.New("the store of suppressions is not there")

// Writer takes changes.
type Writer interface {
	// Apply merges changes into their rows. Applied twice, in part or in another order, they give the same rows.
	Apply(ctx context.Context, changes []Change) error
	// Probe finds out whether changes would be taken, and leaves nothing.
	Probe(ctx context.Context) error
}

// Reader answers who is suppressed.
type Reader interface {
	// Find returns all rows of an address, by scope and class.
	Find(ctx context.Context, address string) ([]Row, error)
	// Walk calls visit for every row, in no order, until that returns an error.
	Walk(ctx context.Context, visit func(Row) error) error
}

// Store keeps rows. All methods are safe for concurrent use, also by several processes. Errors are those of a sink's Send.
type Store interface {
	Writer
	Reader
	io.Closer
}

// InForce returns those of an address's rows that hold back mail of a scope: those of all mail, and those of the scope.
func InForce(rows []Row, scope string) (inForce []Row) {
	for i := range rows {
		if rows[i].InForce() && (rows[i].Scope == Everything || rows[i].Scope == scope) {
			inForce = append(inForce, rows[i])
		}
	}
	return inForce
}

// Release returns the changes with which a person releases an address: of every row that is in force and, unless they are empty, of the class
// and the scope. What happened before is of no more effect; what happens from now on is.
func Release(rows []Row, class Class, scope, by string, now time.Time) (changes []Change) {
	for i := range rows {
		r := &rows[i]
		if !r.InForce() || class != "" && r.Class != class || scope != "" && r.Scope != scope {
			continue
		}
		at := now.UTC().Truncate(time.Microsecond)
		if !at.After(r.LastAt) { // a provider's clock is ahead
			at = r.LastAt.Add(time.Microsecond)
		}
		changes = append(changes, Change{Key: Key{r.Address, r.Scope, r.Class}, At: at, Releases: true, Origin: Origin{ID: by}})
	}
	return changes
}
