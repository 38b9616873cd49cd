// Package sink defines the seam between Mailvane and one kind of destination for events.
package sink

import (
	"context"
	"io"
	"net/netip"
	"time"
)

// Message is one event on its way to a sink.
type Message struct {
	// Envelope is the event as a structured CloudEvents 1.0 JSON object, on one line.
	Envelope []byte
	// Key is the event's partition key; it may be empty.
	Key string
}

// Sink is one configured destination. Its methods are safe for concurrent use.
type Sink interface {
	// Send delivers the messages, in order, as one unit, and returns nil only when the destination has all of them.
	// A [*PermanentError], [*ThrottledError] or [*UnreachableError] in the error's tree says how to go on. Any other error is
	// transient and may be the fault of one of the messages.
	// Send honours ctx, and keeps nothing of the messages: their memory is used again after it has returned.
	Send(ctx context.Context, messages []Message) error
	// Close releases what the sink holds. Closing twice is allowed.
	Close() error
}

// BatchLimiter is implemented by sinks that cannot take any number of messages in one Send.
type BatchLimiter interface {
	// MaxBatch returns the largest number of messages of one Send, at least 1.
	MaxBatch() int
}

// Kind describes one kind of sink. The list of all kinds is in package builtin.
type Kind struct {
	// Type is the name in EventSink.spec.type, such as "HTTP".
	Type string
	// New builds a Sink from the JSON settings: the API member with its secret references replaced by their values.
	// Unknown fields are an error. No error holds a credential. New does not connect.
	New func(settings []byte, env Environment) (Sink, error)
}

// Environment is what sinks may use of the world around them.
type Environment struct {
	// AllowedPrefixes are the address ranges that sinks may connect to although they are link-local or metadata addresses.
	AllowedPrefixes []netip.Prefix
	// Now, unless it is zero, has New also refuse what has expired by then, such as a certificate. It is set where settings are
	// checked. A receiver leaves it zero: it must start, and its other sinks work, whatever has expired.
	Now time.Time
	// Stdout is what the Stdout sink writes to; nil = the standard output of the process.
	Stdout io.Writer
	// Files is the folder that File sinks write below; "" = there are none.
	Files string
}
