// Package sink defines the seam between Mailvane and one kind of destination for events.
package sink

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/mailvane/mailvane/receiver/netguard"
)

// Sink is one configured destination. Its methods are safe for concurrent use.
type Sink interface {
	// Send delivers the messages, in order, and returns nil only when the destination has all of them. An error says how to go on:
	// a [*PartialError] that the destination has some of them; a [*PermanentError], [*ThrottledError] or [*UnreachableError] in its
	// tree what to do with all of them. Any other error is transient and may be the fault of one of the messages.
	// Send honours ctx, and keeps nothing of the messages: their memory is used again after it has returned.
	Send(ctx context.Context, batch Batch) error
	// Close releases what the sink holds. Closing twice is allowed, and so is closing while a Send goes on, which ends with its context
	// all the same.
	Close() error
}

// BatchLimiter is implemented by sinks that cannot take any number of messages in one Send.
type BatchLimiter interface {
	// MaxBatch returns the largest number of messages of one Send, at least 1.
	MaxBatch() int
}

// AttributeReader is implemented by sinks that read what messages say of themselves, which takes time.
type AttributeReader interface {
	// ReadsAttributes reports whether Source, Type, Subject, Provider and Time of messages are to be set.
	ReadsAttributes() bool
}

// Starter is implemented by sinks that connect before the first event, such as those with a session.
type Starter interface {
	// Start connects. It is called before the first Send, and again until it returns nil, with the waits of failed sends. Its error
	// is one of Send.
	Start(ctx context.Context) error
}

// Prober is implemented by sinks that can find out whether they would be able to deliver, without an event.
type Prober interface {
	// Probe returns nil if the destination is there and takes the credentials of the sink. Its error is one of Send; a
	// [*ConnectionError] says what is wrong. It leaves nothing at the destination.
	Probe(ctx context.Context) error
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
	// AllowedPrefixes are the address ranges that sinks may connect to although they are link-local, metadata or guarded addresses.
	AllowedPrefixes []netip.Prefix
	// GuardOwn has sinks kept away from this machine: from loopback and from the addresses of its interfaces.
	GuardOwn bool
	// Stdout is what the Stdout sink writes to; nil = the standard output of the process.
	Stdout io.Writer
	// Files is the folder that File sinks write below; "" = there are none.
	Files string
	// Logger is told what an operator has to know and no error of a send says; nil = nobody is told.
	Logger *slog.Logger
}

// Dialer returns what every connection of a sink is made with. It refuses link-local, metadata and, where asked to, own addresses, after a name was
// resolved, whoever resolves it; its methods Dial and DialContext fit where client libraries take a function. A timeout of 0 is none.
func (e *Environment) Dialer(timeout time.Duration) *net.Dialer {
	return netguard.Guard{Allowed: e.AllowedPrefixes, Own: e.GuardOwn}.Dialer(timeout)
}

// Log returns the logger, which may always be used.
func (e *Environment) Log() *slog.Logger {
	if e.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return e.Logger
}
