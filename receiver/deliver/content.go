package deliver

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/receiver/content"
	"github.com/mailvane/mailvane/receiver/sink"
)

// contentLink sends of each event what the sink may have. The journal, and what becomes a dead letter, keep all of it.
type contentLink struct {
	content *content.Content
	next    link
}

// Send changes the messages of the batch and hands it on. The batch keeps its identity, which tells nothing of what the events say.
func (l *contentLink) Send(ctx context.Context, batch sink.Batch) error {
	for i := range batch.Messages {
		if err := l.change(&batch.Messages[i]); err != nil {
			return sink.Permanent(fmt.Errorf("what is stored is no event: %w", err))
		}
	}
	return l.next.Send(ctx, batch)
}

func (l *contentLink) change(m *sink.Message) error {
	envelope, err := l.content.Apply(m.Envelope)
	if err != nil {
		return err
	}
	if m.Envelope, err = envelope.Encode(); err != nil {
		return err
	}
	m.Key = envelope.PartitionKey
	if m.Type != "" { // the sink reads attributes
		m.Subject = envelope.Subject
	}
	return nil
}
