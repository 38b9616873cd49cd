package history

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// State says in a word what became of an event.
type State string

// The states of an event.
const (
	// StateDelivered says that every sink that was owed the event has it.
	StateDelivered State = "Delivered"
	// StateDeadLetter says that it became a dead letter for a sink.
	StateDeadLetter State = "DeadLetter"
	// StateUnrouted says that no route took it.
	StateUnrouted State = "Unrouted"
	// StateWaiting says that a sink is still owed it.
	StateWaiting State = "Waiting"
	// StateUnrecorded says that no sink is owed it any more and that it is not known what became of it: the receiver was killed in the
	// moment between.
	StateUnrecorded State = "Unrecorded"
)

// States returns all states.
func States() []State {
	return []State{StateDelivered, StateDeadLetter, StateUnrouted, StateWaiting, StateUnrecorded}
}

// The bounds of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Query selects events by all that is set.
type Query struct {
	// ID is that of the event.
	ID string
	// Recipient is an address that the event is about, whatever the case of its letters.
	Recipient string
	// Message is a message id, of the message or of the provider.
	Message string
	// Type, Endpoint ("namespace/name") and Sink are those of the event.
	Type, Endpoint, Sink string
	// Code is an SMTP reply code or an enhanced status code.
	Code string
	// States are those that it may have; empty = any.
	States []State
	// Since and Until bound when it was accepted: at or after the one, before the other. Zero = no bound.
	Since, Until time.Time
	// Forward has the oldest first. By default the latest is.
	Forward bool
	// Cursor is where to go on; empty = at the beginning.
	Cursor string
	// Owed reports whether a sink may still be owed an event that was accepted at a time; nil = it may.
	Owed func(sink string, acceptedAt time.Time) bool
	// Limit bounds the page, at most MaxLimit; 0 = DefaultLimit.
	Limit int
}

// Page is a part of what a query selects.
type Page struct {
	Events []Found
	// Next is the cursor behind the page; empty = nothing is left. Events that come later do not move it. With Forward there is always
	// one: what comes later is behind it.
	Next string
	// Short says that the page ended before it was full, since looking on would have taken too long: there may be more behind Next.
	Short bool
}

// Found is an event with what became of it.
type Found struct {
	Event
	// Told are its attempts and what else became of it, in the order of their time.
	Told []Told
}

// Told is what became of an event at one sink at one time; see [Attempt].
type Told struct {
	Sink    string
	At      time.Time
	Took    time.Duration
	Outcome Outcome
	Answer  string
}

// sinks returns the names of all sinks that have to do with the event, sorted.
func (f *Found) sinks() []string {
	names := slices.Clone(f.Sinks)
	for i := range f.Told {
		names = append(names, f.Told[i].Sink)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// last returns what is known last of the event at a sink. What follows upon a retry may be of the same millisecond.
func (f *Found) last(sink string) (last Told) {
	for _, t := range f.Told {
		if t.Sink == sink && (last.Outcome == 0 || t.At.After(last.At) || t.At.Equal(last.At) && t.Outcome != Retried) {
			last = t
		}
	}
	return last
}

// State returns the state of the event. owed is that of a [Query].
func (f *Found) State(owed func(sink string, acceptedAt time.Time) bool) State {
	names := f.sinks()
	if len(names) == 0 && !f.SinksUnknown {
		return StateUnrouted
	}
	state := StateDelivered
	if len(names) == 0 {
		state = StateWaiting
	}
	for _, name := range names {
		switch outcome := f.last(name).Outcome; {
		case outcome == Dead || outcome == Dropped:
			return StateDeadLetter
		case outcome.isFinal():
		case owed == nil || owed(name, f.AcceptedAt):
			state = StateWaiting
		case state == StateDelivered:
			state = StateUnrecorded
		}
	}
	return state
}

// SelectsOutcome reports whether a query asks for what became of an event.
func (q *Query) SelectsOutcome() bool { return q.Sink != "" || len(q.States) > 0 }

// Selects reports whether a query selects an event by what became of it.
func (q *Query) Selects(f *Found) bool {
	return (q.Sink == "" || slices.Contains(f.sinks(), q.Sink)) && (len(q.States) == 0 || slices.Contains(q.States, f.State(q.Owed)))
}

// FoldAddress returns an address as addresses are compared: in lower case. Two mailboxes whose names differ only in case are hardly ever
// two people, and who is to be forgotten is to be forgotten however it was written.
func FoldAddress(address string) string { return strings.ToLower(address) }

// MatchesCode reports whether a code that was asked for is one of an event's: an SMTP reply code, or an enhanced status code.
func MatchesCode(asked string, smtp int, enhanced string) bool {
	return asked == enhanced && enhanced != "" || smtp != 0 && asked == strconv.Itoa(smtp)
}

// Answer returns what a destination said as it is kept: at most MaxAnswerBytes, on one line and without control characters.
func Answer(text string) string {
	if len(text) > MaxAnswerBytes {
		text = text[:MaxAnswerBytes]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
