package sink

import (
	"time"

	"github.com/mailvane/mailvane/receiver/event"
)

// Message is one event on its way to a sink.
type Message struct {
	// ID is the event's: the same whenever it is sent, to whichever sink.
	ID string
	// Source, Type, Subject, Provider and Time are CloudEvents attributes of the event. They are set for an [AttributeReader] only; Subject
	// may be empty.
	Source, Type, Subject, Provider string
	Time                            time.Time
	// Key is the event's partition key; it may be empty.
	Key string
	// Envelope is the event as a structured CloudEvents 1.0 JSON object, on one line.
	Envelope []byte
}

// Batch is what one Send delivers.
type Batch struct {
	// ID is the same whenever the same messages are sent in the same order, by whichever receiver and after a restart, and another for
	// any others: who stores something under it overwrites with a retry what an attempt before may have left. What is sent of a batch
	// that failed in part, or was halved, is another batch. A restart, and what arrives meanwhile, may put events into other batches.
	ID string
	// Messages are in the order in which they are to arrive.
	Messages []Message
}

// NewBatch returns a batch of messages whose IDs are set.
func NewBatch(messages []Message) Batch {
	if len(messages) == 1 {
		return Batch{ID: event.HashID(messages[0].ID), Messages: messages} // the same, for less
	}
	hash := event.NewIDHash()
	for i := range messages {
		hash.AddText(messages[i].ID)
	}
	return Batch{ID: hash.ID(), Messages: messages}
}
