package kafkasink

import (
	"bytes"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/envelope"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// contentType is the header that tells the content modes apart (CloudEvents Kafka protocol binding 1.0.2, section 3).
const contentType = "content-type"

// structuredType is the media type of structured mode.
const structuredType = "application/cloudevents+json; charset=UTF-8"

// records returns a record for each message, or nil for one that is no event, which is added to failed.
func (s *kafkaSink) records(messages []sink.Message, failed map[int]error) []*kgo.Record {
	structured := []kgo.RecordHeader{{Key: contentType, Value: []byte(structuredType)}}
	records := make([]*kgo.Record, len(messages))
	for i := range messages {
		m := &messages[i]
		r := &kgo.Record{Value: m.Envelope, Headers: structured}
		var err error
		if s.binary {
			r.Headers, r.Value, err = binary(m.Envelope)
		}
		if m.ID == "" {
			err = envelope.ErrNotAnEvent
		}
		if err != nil {
			failed[i] = sink.Permanent(err)
			continue
		}
		if m.Key != "" {
			r.Key = []byte(m.Key)
		}
		r.Topic = s.topic.Expand(template.Values{Source: m.Source, Type: m.Type, Provider: m.Provider})
		records[i] = r
	}
	return records
}

// binary returns an event's attributes as headers, and its data (section 3.2 of the binding). Values of headers are UTF-8 and not escaped.
func binary(event []byte) ([]kgo.RecordHeader, []byte, error) {
	attributes, data, err := envelope.Split(event)
	if err != nil {
		return nil, nil, err
	}
	headers := make([]kgo.RecordHeader, 0, len(attributes))
	for _, a := range attributes {
		name := "ce_" + a.Name
		if a.Name == "datacontenttype" {
			name = contentType
		}
		headers = append(headers, kgo.RecordHeader{Key: name, Value: []byte(a.Value)})
	}
	return headers, data, nil
}

// copied returns a record that shares no memory with a message: the client may have it for longer.
func copied(r *kgo.Record) *kgo.Record {
	return &kgo.Record{Topic: r.Topic, Key: r.Key, Value: bytes.Clone(r.Value), Headers: r.Headers}
}

// topicsOf returns the topics of records, each once.
func topicsOf(records []*kgo.Record) (topics []string) {
	for _, r := range records {
		if r != nil && !slices.Contains(topics, r.Topic) {
			topics = append(topics, r.Topic)
		}
	}
	return topics
}
