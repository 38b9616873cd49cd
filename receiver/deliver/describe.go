package deliver

import (
	"fmt"
	"strings"
	"sync"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

// describer makes batches of deliveries.
type describer struct {
	// attributes says that the sink reads what messages say of themselves.
	attributes bool
	// free holds lists of messages that are used again, as pointers to slices: those of large batches cost more than all else here.
	free sync.Pool
}

func newDescriber(s sink.Sink) *describer {
	reader, ok := s.(sink.AttributeReader)
	return &describer{attributes: ok && reader.ReadsAttributes()}
}

// take returns a list of n messages.
func (d *describer) take(n int) []sink.Message {
	if list, ok := d.free.Get().(*[]sink.Message); ok && cap(*list) >= n {
		return (*list)[:n]
	}
	return make([]sink.Message, n)
}

// done takes back the messages of a batch that nobody uses any more.
func (d *describer) done(batch sink.Batch) {
	list := batch.Messages
	clear(list)
	d.free.Put(&list)
}

// idBytes is as long as most ids are, so that those of a batch take one piece of memory.
const idBytes = 32

// batch returns the batch of a chunk. It fails, for good, when one of them is no event.
func (d *describer) batch(chunk []journal.Delivery) (sink.Batch, error) {
	messages := d.take(len(chunk))
	var ids strings.Builder
	ids.Grow(idBytes * len(chunk))
	for i := range chunk {
		m := &messages[i]
		m.Envelope, m.Key = chunk[i].Payload, chunk[i].OrderingKey
		if err := d.describe(m, &ids); err != nil {
			return sink.Batch{}, sink.Permanent(fmt.Errorf("what is stored is no event: %w", err))
		}
	}
	return sink.NewBatch(messages), nil
}

func (d *describer) describe(m *sink.Message, ids *strings.Builder) error {
	if d.attributes {
		head, err := event.HeadOf(m.Envelope)
		m.ID, m.Source, m.Type, m.Subject = head.ID, head.Source, head.Type, head.Subject
		m.Provider, m.Time = head.Provider, head.Time
		return err
	}
	id, err := event.IDOf(m.Envelope)
	if err != nil {
		return err
	}
	from := ids.Len()
	ids.Write(id)
	m.ID = ids.String()[from:]
	return nil
}
