// Package space knows how much of the device a journal takes, and decides what may be added to it. It touches no file.
package space

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// sampleInterval is how often the store is asked how much space it takes; between that, what is written is added.
	sampleInterval = 200 * time.Millisecond
	// deadLetterShare is the part of MaxBytes that dead letters may take which requests bring, 1/4, as in package jetstream. Those of
	// events that a sink refused took their space when the events were accepted.
	deadLetterShare = 4
)

// Limits are in bytes.
type Limits struct {
	// MaxBytes is what the journal may take.
	MaxBytes int64
	// MinFreeBytes is what it leaves free on the file system; 0 or less = nothing.
	MinFreeBytes int64
}

// Usage is what a store takes, in bytes.
type Usage struct {
	// Used is all of it.
	Used int64
	// Logs is what logs take of it. Unflushed is what is in them alone, and will be in tables as well before they go.
	Logs, Unflushed int64
	// Merging is what the next merge of the young tables that there are may take until it is done: they and those below them once more, since
	// each young table holds keys of all kinds.
	Merging int64
	// Free is what the file system has left; less than 0 = it is not known.
	Free int64
}

// Source tells what a store takes now.
type Source interface{ Usage() Usage }

// Request is what is to be added.
type Request struct {
	journal.Appending
	// LetterBytes is how much of it are dead letters.
	LetterBytes int64
}

// Account keeps the account of one journal. It is safe for concurrent use.
type Account struct {
	limits Limits
	now    func() time.Time
	log    *slog.Logger
	shares journal.Shares

	mu      sync.Mutex
	sampled time.Time
	usage   Usage
	// lacking says that the file system has too little left.
	lacking bool
	// refused is the size of the last append, if there was no room for it; else 0.
	refused int64
	// lettersRefused is the size of the last dead letters that came while there was no room for them; else 0.
	lettersRefused int64
}

// New returns the account of a journal of which nothing is known yet.
func New(limits Limits, now func() time.Time, log *slog.Logger) *Account {
	return &Account{limits: limits, now: now, log: log}
}

// Add counts bytes that were written.
func (a *Account) Add(bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.usage.Used += bytes
	a.usage.Logs += bytes
	a.usage.Unflushed += bytes
}

// Forget has the store be asked the next time.
func (a *Account) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sampled = time.Time{}
}

// Measure returns the bytes that are taken, and whether the file system lacks space.
func (a *Account) Measure(store Source) (used int64, lacking bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sample(store)
	return a.usage.Used, a.lacking
}

// sample asks the store, if that was not done just now. The lock is held.
func (a *Account) sample(store Source) {
	now := a.now()
	if age := now.Sub(a.sampled); age >= 0 && age < sampleInterval {
		return
	}
	a.sampled = now
	a.usage = store.Usage()
	a.lacking = a.limits.MinFreeBytes > 0 && a.usage.Free >= 0 && a.usage.Free < a.limits.MinFreeBytes
}

// Admit returns an error when there is no room for a request beside so many bytes of dead letters that there are and are coming:
// [journal.ErrFull], [journal.ErrDeadLetters], or one that wraps [journal.ErrShare].
func (a *Account) Admit(store Source, r Request, letterBytes int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sample(store)
	a.refused = 0
	if a.lacking || a.full(r.Size) {
		a.refused = r.Size
		return journal.ErrFull
	}
	if r.LetterBytes > 0 && a.crowded(letterBytes, r.LetterBytes) {
		if a.lettersRefused == 0 {
			a.log.Error("dead letters cannot be stored", "problem", journal.NoRoomForDeadLetters)
		}
		a.lettersRefused = r.LetterBytes
		return journal.ErrDeadLetters
	}
	taken := a.taken()
	if r.Unverified {
		taken = a.usage.Used - a.usage.Logs + a.usage.Unflushed // logs have a size of their own, however little there is
	}
	return a.shares.Admit(r.Appending, taken, a.limits.MaxBytes)
}

// taken is what will have been taken at most before the next merge is done: what is in a log alone goes to a table, and that table is merged
// before the log is gone. The lock is held.
func (a *Account) taken() int64 { return a.usage.Used + 2*a.usage.Unflushed + a.usage.Merging }

// full reports whether size more bytes would take more than there may be: they are written to a log, to a table and, while it is merged, to
// another one. The lock is held.
func (a *Account) full(size int64) bool { return a.taken()+3*size > a.limits.MaxBytes }

// crowded reports whether there is no room for size bytes of dead letters beside others.
func (a *Account) crowded(letterBytes, size int64) bool {
	return letterBytes > 0 && letterBytes+size > a.limits.MaxBytes/deadLetterShare
}

// Warning says for people why there is no room for the dead letters that were refused last, beside so many bytes of them; empty = there is,
// or none were.
func (a *Account) Warning(letterBytes int64) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lettersRefused > 0 && a.crowded(letterBytes, a.lettersRefused) {
		return journal.NoRoomForDeadLetters
	}
	a.lettersRefused = 0
	return ""
}

// Problem says for people why there is no room for what was refused last, or for anything; empty = there is. It does not say how much is
// taken, so that it stays the same while it lasts.
func (a *Account) Problem() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.lacking:
		return fmt.Sprintf("the file system of the journal has less than %d bytes left", a.limits.MinFreeBytes)
	case a.full(max(a.refused, 1)):
		return fmt.Sprintf("the journal is full: it may take %d bytes", a.limits.MaxBytes)
	}
	return a.shares.Problem(a.taken(), a.limits.MaxBytes)
}
