package sink

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/config"
)

// Cause says what is wrong between a sink and its destination, whichever event is sent.
type Cause string

// The causes.
const (
	// CredentialRefused says that the destination does not know the sink, or does not let it deliver.
	CredentialRefused Cause = config.CredentialRefused
	// DestinationNotFound says that the server is there and what events go to is not: a path, topic, table, queue or bucket.
	DestinationNotFound Cause = config.DestinationNotFound
	// DestinationUnreachable says that no connection could be made.
	DestinationUnreachable Cause = config.DestinationUnreachable
	// DeliveryFailing says that the destination fails otherwise.
	DeliveryFailing Cause = config.DeliveryFailing
)

// ConnectionError says what is wrong with a connection. It is transient unless another class is in its tree: somebody mends it, and
// the events are still wanted.
type ConnectionError struct {
	// Cause is CredentialRefused or DestinationNotFound.
	Cause Cause
	// Err says why, for people. It holds no credential.
	Err error
}

// Error returns the cause's text.
func (e *ConnectionError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ConnectionError) Unwrap() error { return e.Err }

// Because marks err as one of the connection.
func Because(cause Cause, err error) error { return &ConnectionError{Cause: cause, Err: err} }

// CauseOf returns what an error says of the connection.
func CauseOf(err error) Cause {
	if c, ok := errors.AsType[*ConnectionError](err); ok {
		return c.Cause
	}
	if IsUnreachable(err) {
		return DestinationUnreachable
	}
	return DeliveryFailing
}
