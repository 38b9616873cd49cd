package pubsubsink

import (
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/envelope"
)

const (
	// perMessage is more than what a message takes beside its event, in bytes: attributes and ordering key.
	perMessage = 2 << 10
	// maxAttribute bounds the value of an attribute, and maxOrderingKey an ordering key, in bytes
	// (https://cloud.google.com/pubsub/quotas#resource_limits).
	maxAttribute, maxOrderingKey = 1024, 1024
	// contentType is the attribute that tells the content modes apart, as in the CloudEvents binding for Google Pub/Sub, section 3.
	contentType = "content-type"
	// structuredType is the media type of structured mode.
	structuredType = "application/cloudevents+json; charset=UTF-8"
)

// message returns an event as a message, which shares memory with it.
func (s *pubSubSink) message(m *sink.Message) (*pubsubpb.PubsubMessage, error) {
	if m.ID == "" {
		return nil, envelope.ErrNotAnEvent
	}
	out := &pubsubpb.PubsubMessage{Data: m.Envelope, Attributes: structured(m)}
	if s.Binary {
		var err error
		if out.Attributes, out.Data, err = binary(m.Envelope); err != nil {
			return nil, err
		}
	}
	if s.Ordered && len(m.Key) <= maxOrderingKey {
		out.OrderingKey = m.Key
	}
	return out, nil
}

// structured returns what filters of subscriptions go by, who do not see the data.
func structured(m *sink.Message) map[string]string {
	return fitting(map[string]string{
		contentType: structuredType, "type": string(event.TypeOf(m.Type)), "provider": m.Provider, "endpoint": event.EndpointOf(m.Source),
	})
}

// binary returns an event's attributes, and its data (section 3.1 of the binding).
func binary(encoded []byte) (map[string]string, []byte, error) {
	all, data, err := envelope.Split(encoded)
	if err != nil {
		return nil, nil, err
	}
	attributes := map[string]string{}
	for _, a := range all {
		name := "ce-" + a.Name
		if a.Name == "datacontenttype" {
			name = contentType
		}
		attributes[name] = a.Value
	}
	return fitting(attributes), data, nil
}

// fitting leaves out what Pub/Sub does not take: one attribute too long would have it refuse the message. The data has it, too.
func fitting(attributes map[string]string) map[string]string {
	for name, value := range attributes {
		if value == "" || len(value) > maxAttribute {
			delete(attributes, name)
		}
	}
	return attributes
}
