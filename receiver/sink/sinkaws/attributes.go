package sinkaws

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
)

// AttributeType is the type of all attributes of a message.
const AttributeType = "String"

// Attributes returns the attributes of a message of SQS or SNS, which consumers and filter policies go by without reading it. None is empty, which
// neither service takes: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func Attributes(m *sink.Message) map[string]string {
	all := map[string]string{
		"contentType": "application/cloudevents+json", "type": string(event.TypeOf(m.Type)), "provider": m.Provider, "endpoint": event.EndpointOf(m.Source),
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// SizeOf returns what counts of a message of SQS or SNS, in bytes: its body, and the names, types and values of its attributes.
func SizeOf(m *sink.Message) int {
	size := len(m.Envelope)
	for name, value := range Attributes(m) {
		size += len(name) + len(AttributeType) + len(value)
	}
	return size
}
