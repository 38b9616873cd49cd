package apply

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
)

// Finding returns what an endpoint is told of an object that could not be written, and the error for the queue. of says what the object is
// for, remedy what to do. An object that belongs to somebody else is no error: it has to be looked at again later ([IsForeign]).
func Finding(err error, of, remedy string) (condition.Finding, error) {
	if err == nil {
		return condition.Finding{}, nil
	}
	if foreign, ok := errors.AsType[*ForeignError](err); ok {
		return condition.Finding{Reason: v1alpha1.ReasonNameTaken, Message: foreign.Error()}, nil
	}
	object, words := "an object", "the manager's log says why"
	if failed, ok := errors.AsType[*FailedError](err); ok {
		object, words = fmt.Sprintf("%s %q", failed.Kind, failed.Name), failed.Words()
	}
	return condition.Finding{Reason: v1alpha1.ReasonApplyFailed, Message: fmt.Sprintf(
		"The API server did not take %s %s: %s. %s; the manager tries again by itself.", object, of, strings.TrimRight(words, ". \n"), remedy)}, err
}

// IsForeign reports whether a finding is that an object belongs to somebody else.
func IsForeign(f condition.Finding) bool { return f.Reason == v1alpha1.ReasonNameTaken }
