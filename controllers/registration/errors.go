package registration

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what kind of failure an error is: what can be done about it.
type Kind int

// The kinds of failures.
const (
	// Unavailable is a failure of the provider, or of the way to it, that may pass.
	Unavailable Kind = iota
	// Limited says that too many requests were made.
	Limited
	// Unauthorized says that the provider does not know the key, or that it has not the right.
	Unauthorized
	// Refused says that the provider does not take the webhook as it is.
	Refused
	// Occupied says that there is no place for the webhook beside those of others.
	Occupied
	// Missing says that what is asked about is not there.
	Missing
	// Exists says that what is to be made is there already.
	Exists
)

// Error is what a provider answers, or why it does not.
type Error struct {
	// Kind is what can be done about it.
	Kind Kind
	// Status is that of the answer; 0 = there was none.
	Status int
	// Code is the provider's word for what is wrong, where it has one that is meant for programs.
	Code string
	// Words are the provider's, or say what went wrong on the way. No credential is in them.
	Words string
	// RetryAfter is when the provider wants to be asked again; 0 = it does not say.
	RetryAfter time.Duration
}

// Error returns the status and the words.
func (e *Error) Error() string {
	switch {
	case e.Status == 0:
		return e.Words
	case e.Words == "":
		return fmt.Sprintf("it answers %d", e.Status)
	default:
		return fmt.Sprintf("it answers %d: %s", e.Status, e.Words)
	}
}

// IsKind reports whether an error is a provider's of a kind.
func IsKind(err error, kind Kind) bool {
	failed, ok := errors.AsType[*Error](err)
	return ok && failed.Kind == kind
}
