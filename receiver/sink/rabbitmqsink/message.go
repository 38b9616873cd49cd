package rabbitmqsink

import (
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/envelope"
)

// structuredType is the media type of structured mode.
const structuredType = "application/cloudevents+json; charset=utf-8"

// prefix is that of the headers of attributes (CloudEvents AMQP protocol binding 1.0.2, section 3.1.3.1).
const prefix = "cloudEvents_"

// message is the message of an event. Its headers are for exchanges that route, or hash, by headers, in both content modes.
func (s *rabbitMQSink) message(m *sink.Message) (amqp.Publishing, error) {
	if m.ID == "" {
		return amqp.Publishing{}, sink.Permanent(envelope.ErrNotAnEvent)
	}
	p := amqp.Publishing{
		MessageId: m.ID, Type: m.Type, Timestamp: m.Time, AppId: "mailvane", DeliveryMode: amqp.Persistent,
		ContentType: structuredType, Body: m.Envelope,
		Headers: amqp.Table{prefix + "specversion": "1.0", prefix + "id": m.ID, prefix + "source": m.Source, prefix + "type": m.Type},
	}
	if m.Key != "" {
		p.Headers[prefix+"partitionkey"] = m.Key
	}
	if !s.binary {
		return p, nil
	}
	attributes, data, err := envelope.Split(m.Envelope)
	if err != nil {
		return amqp.Publishing{}, sink.Permanent(err)
	}
	p.Body, p.ContentType = data, ""
	for _, a := range attributes {
		if a.Name == "datacontenttype" {
			p.ContentType = a.Value
			continue
		}
		p.Headers[prefix+a.Name] = a.Value
	}
	return p, nil
}
