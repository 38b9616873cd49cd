package jetstream

import (
	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/publish"
)

const (
	// headerAllowance is what the headers that the client and the servers add to a message may take.
	headerAllowance = 512
	// entryAllowance is what the message of an event has beside its payload: the subject, the dedupe key, and an ordering key of common length.
	entryAllowance = 2 << 10
)

// MaxPayload implements [journal.Bounded].
func (j *Journal) MaxPayload() int {
	room, err := j.room()
	if err != nil {
		return 0
	}
	return max(room-message.LetterAllowance-entryAllowance, 1)
}

// room returns how large a message may be for the servers.
func (j *Journal) room() (int, error) {
	s := j.current()
	if s == nil {
		return 0, publish.ErrNotConnected
	}
	return int(s.nc.MaxPayload()) - headerAllowance, nil
}
