package jetstream

import (
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// headerAllowance is what the headers that the client and the servers add to a message may take.
	headerAllowance = 512
	// letterAllowance is what the dead letter of an event may take beyond the event: one that did not fit could never be given up.
	letterAllowance = 4 << 10
)

// room returns how large a message may be for the servers.
func (j *Journal) room() (int, error) {
	s := j.current()
	if s == nil {
		return 0, errNotConnected
	}
	return int(s.nc.MaxPayload()) - headerAllowance, nil
}

func largest(messages []*nats.Msg) int {
	size := 0
	for _, m := range messages {
		size = max(size, m.Size())
	}
	return size
}

// largeLetter is the dead letter of an event that is larger than what the servers take. It holds how the event begins, as far as
// that fits: whoever sends such an event again would never get another answer, and the events beside it must not wait for it.
func largeLetter(b *journal.Batch, e *journal.Entry, size, room int) journal.DeadLetter {
	d := journal.DeadLetter{
		Cause: journal.CauseTooLarge, Endpoint: b.Endpoint, At: e.AcceptedAt, Unverified: b.Unverified, Payload: e.Payload,
		Reason: fmt.Sprintf("an event of %d bytes is larger than the max_payload of the NATS servers allows, %d; this is how it begins", size, room),
	}
	if len(e.Sinks) > 0 {
		d.Sink = e.Sinks[0]
	}
	if len(e.DedupeKeys) > 0 {
		d.DedupeKey = e.DedupeKeys[0] + "\x00large"
	}
	return d
}

// fitted returns the message of a dead letter, with as much of its payload as the servers take.
func (j *Journal) fitted(d *journal.DeadLetter, room int) ([]*nats.Msg, error) {
	messages, err := j.letterMessage(d)
	if err != nil {
		return nil, err
	}
	over := largest(messages) - room
	if over <= 0 {
		return messages, nil
	}
	cut := *d
	cut.Payload = d.Payload[:max(0, len(d.Payload)-over-letterAllowance)]
	cut.Reason = fmt.Sprintf("%s (the first %d of its %d bytes; the servers' max_payload allows no more)", journal.Reason(d.Reason), len(cut.Payload), len(d.Payload))
	return j.letterMessage(&cut)
}
