package sink

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// PartialError says that the destination has the messages of a batch but for some. It is for destinations that answer for each
// message: what they have is not sent again, and what they refuse for good need not be searched for.
type PartialError struct {
	// Failed holds, by its index in the batch, why a message was not taken. Each error says by its class how to go on with that message.
	Failed map[int]error
}

// Partial returns the error of a batch of which some messages failed, or nil if none did.
func Partial(failed map[int]error) error {
	if len(failed) == 0 {
		return nil
	}
	return &PartialError{Failed: failed}
}

// Error tells of the first failure. There is no Unwrap: the class of one message is not that of the others.
func (e *PartialError) Error() string {
	if len(e.Failed) == 0 {
		return "some messages failed"
	}
	first := slices.Min(slices.Collect(maps.Keys(e.Failed)))
	return fmt.Sprintf("%d of the messages failed, the first one: %v", len(e.Failed), e.Failed[first])
}

// errNoReason stands for a failure that was not explained. It is transient.
var errNoReason = errors.New("the destination did not take this message")

// FailedOf returns why messages of a batch of some length failed, or nil if err does not tell them apart: then it concerns all.
func FailedOf(err error, length int) map[int]error {
	partial, ok := errors.AsType[*PartialError](err)
	if !ok {
		return nil
	}
	var failed map[int]error
	for i, cause := range partial.Failed {
		if i < 0 || i >= length {
			return nil // whatever it speaks of, it is not this batch
		}
		if failed == nil {
			failed = make(map[int]error, len(partial.Failed))
		}
		if failed[i] = cause; cause == nil {
			failed[i] = errNoReason
		}
	}
	return failed
}
