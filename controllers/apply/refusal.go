package apply

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// maxWords bounds what is repeated of the words of an API server or of a webhook, in bytes.
const maxWords = 512

// FailedError says that the API server did not write an object: it, a webhook or a policy refuses it, or it could not be asked.
type FailedError struct {
	// Kind and Name are the object's.
	Kind, Name string
	err        error
}

// Error names the object and holds the whole cause.
func (e *FailedError) Error() string { return fmt.Sprintf("apply %s %s: %v", e.Kind, e.Name, e.err) }

// Unwrap returns the cause.
func (e *FailedError) Unwrap() error { return e.err }

// ephemeral matches the port of our own end of a connection, which is another one each time.
var ephemeral = regexp.MustCompile(`(tcp|udp) [0-9.]+:[0-9]+->|(tcp|udp) \[[0-9a-f:]+\]:[0-9]+->`)

// Words returns what the API server says, for people: bounded, and the same each time as far as it can be. Of a Secret, the words of
// webhooks and policies are left out, since they may quote what they refuse.
func (e *FailedError) Words() string {
	words := e.err.Error()
	if status, ok := errors.AsType[*apierrors.StatusError](e.err); ok {
		words = status.ErrStatus.Message
	} else if failed, ok := errors.AsType[*url.Error](e.err); ok {
		words = "the API server cannot be asked: " + failed.Err.Error()
	}
	if e.Kind == "Secret" {
		if before, _, found := strings.Cut(words, "denied "); found {
			words = before + "denied the request"
		}
	}
	words = ephemeral.ReplaceAllString(words, "$1$2 ")
	if len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "") + " ..."
	}
	return words
}
