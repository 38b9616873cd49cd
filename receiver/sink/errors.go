package sink

import (
	"errors"
	"time"
)

// PermanentError says that the destination will never take these messages.
type PermanentError struct {
	// Err says why, for people. It holds no credential.
	Err error
}

// Error returns the cause's text.
func (e *PermanentError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PermanentError) Unwrap() error { return e.Err }

// Permanent marks err as final.
func Permanent(err error) error { return &PermanentError{Err: err} }

// ThrottledError says that the destination asked to wait.
type ThrottledError struct {
	// Err says why, for people. It holds no credential.
	Err error
	// After is how long to wait at least; the sender of the error has not capped it.
	After time.Duration
}

// Error returns the cause's text.
func (e *ThrottledError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ThrottledError) Unwrap() error { return e.Err }

// Throttled marks err as transient, with a wait of at least after.
func Throttled(err error, after time.Duration) error { return &ThrottledError{Err: err, After: after} }

// IsPermanent reports whether err is final.
func IsPermanent(err error) bool {
	_, permanent := errors.AsType[*PermanentError](err)
	return permanent
}

// RetryAfter returns how long the destination asked to wait, or 0.
func RetryAfter(err error) time.Duration {
	if t, ok := errors.AsType[*ThrottledError](err); ok {
		return t.After
	}
	return 0
}

// UnreachableError says that the destination is away: no connection could be made, and nothing of the messages was sent.
type UnreachableError struct {
	// Err says why, for people. It holds no credential.
	Err error
}

// Error returns the cause's text.
func (e *UnreachableError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Unreachable marks err as transient, and as nothing that the messages could be the cause of.
func Unreachable(err error) error { return &UnreachableError{Err: err} }

// IsUnreachable reports whether the destination got nothing of the messages.
func IsUnreachable(err error) bool {
	_, unreachable := errors.AsType[*UnreachableError](err)
	return unreachable
}
