package message

import (
	"strconv"
	"strings"
	"time"
)

// Confirmations are the subjects at which the servers confirm the acknowledgements of one process.
type Confirmations string

// Confirmations returns the subjects of the confirmations for a process.
func (s Subjects) Confirmations(process string) Confirmations {
	return Confirmations(s.Inbox() + ".ack." + process + ".")
}

// Confirmation names what was acknowledged: a message of a queue, by its number and the time at which it was stored. The time tells it from
// another with its number, in a stream that was made anew.
type Confirmation struct {
	Queue    string // a token of a subject
	Sequence uint64
	Stored   time.Time
}

const (
	confirmationParts = 3
	base36            = 36
)

// All returns the pattern of all of them.
func (c Confirmations) All() string { return string(c) + "*.*.*" }

// Subject returns the one at which an acknowledgement is confirmed.
func (c Confirmations) Subject(of Confirmation) string {
	return string(c) + of.Queue + "." + strconv.FormatUint(of.Sequence, base36) + "." + strconv.FormatInt(of.Stored.UnixNano(), base36)
}

// Parse returns what is confirmed at a subject; ok is false when it is none of theirs.
func (c Confirmations) Parse(subject string) (of Confirmation, ok bool) {
	rest, ok := strings.CutPrefix(subject, string(c))
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != confirmationParts {
		return Confirmation{}, false
	}
	sequence, err := strconv.ParseUint(parts[1], base36, 64)
	if err != nil {
		return Confirmation{}, false
	}
	stored, err := strconv.ParseInt(parts[2], base36, 64)
	if err != nil {
		return Confirmation{}, false
	}
	return Confirmation{Queue: parts[0], Sequence: sequence, Stored: time.Unix(0, stored)}, true
}
