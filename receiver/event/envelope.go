package event

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	specVersion     = "1.0"
	dataContentType = "application/json"
	sourcePrefix    = "/mailvane/"
	// DataSchema is the CloudEvents "dataschema": the JSON Schema of [Event].
	DataSchema = "https://mailvane.dev/schemas/event.v1.json"
)

// Attributes are the context attributes of a Mailvane CloudEvent (CloudEvents 1.0.2 section 3), extensions last.
type Attributes struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject,omitzero"`
	Time            string `json:"time,omitzero"`
	DataContentType string `json:"datacontenttype"`
	DataSchema      string `json:"dataschema,omitzero"`
	// Provider is the provider's type.
	Provider string `json:"provider,omitzero"`
	// ProviderEvent is the provider's own name of the event.
	ProviderEvent string `json:"providerevent,omitzero"`
	// PartitionKey is the key of the CloudEvents partitioning extension.
	PartitionKey string `json:"partitionkey,omitzero"`
	// TraceParent is that of the CloudEvents extension for distributed tracing: the span of the request that brought the event.
	TraceParent string `json:"traceparent,omitzero"`
	// Unverified says that the request failed verification; see [Event].
	Unverified bool `json:"unverified,omitzero"`
	// DeadLetterSink and DeadLetterReason are set on events that a dead-letter sink gets instead of the sink that refused them.
	DeadLetterSink   string `json:"deadlettersink,omitzero"`
	DeadLetterReason string `json:"deadletterreason,omitzero"`
}

// Envelope is a CloudEvent in structured mode whose data is still JSON text.
type Envelope struct {
	Attributes
	// Data is the JSON of the [Event].
	Data jsontext.Value `json:"data"`
}

// Source returns the CloudEvents "source" of an endpoint, "/mailvane/<namespace>/<name>".
func Source(namespace, name string) string { return sourcePrefix + namespace + "/" + name }

// EndpointOf returns the "namespace/name" of the endpoint that a source names.
func EndpointOf(source string) string { return strings.TrimPrefix(source, sourcePrefix) }

// marshalOptions keep the provider's numbers and strings as they were written, and map members in a fixed order.
func marshalOptions() json.Options {
	return json.JoinOptions(json.Deterministic(true), jsontext.PreserveRawStrings(true), jsontext.AllowInvalidUTF8(true))
}

// Encode returns the envelope as a structured JSON object on one line.
func (e *Envelope) Encode() ([]byte, error) {
	out, err := json.Marshal(e, marshalOptions())
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	return out, nil
}

// ParseEnvelope reads what [Encode] wrote. Data aliases structured.
func ParseEnvelope(structured []byte) (Envelope, error) {
	var e Envelope
	if err := json.Unmarshal(structured, &e, jsontext.AllowInvalidUTF8(true)); err != nil {
		return Envelope{}, fmt.Errorf("parse event: %w", err)
	}
	return e, nil
}

// TraceParentOf returns the traceparent of an encoded event; empty = it has none. It reads what [Encode] wrote, up to the data.
func TraceParentOf(structured []byte) string {
	head, _, _ := bytes.Cut(structured, []byte(`,"data":`)) // within a string, the quote would be escaped
	_, rest, ok := bytes.Cut(head, []byte(`,"traceparent":"`))
	value, _, _ := bytes.Cut(rest, []byte{'"'})
	if !ok {
		return ""
	}
	return string(value)
}

// envelopeStart is how every envelope that [Encode] wrote begins, up to its id.
const envelopeStart = `{"specversion":"` + specVersion + `","id":"`

// IDOf returns the id of an encoded event, most often as a part of it: only its beginning is read.
func IDOf(structured []byte) ([]byte, error) {
	if rest, ok := bytes.CutPrefix(structured, []byte(envelopeStart)); ok {
		if id, _, ok := bytes.Cut(rest, []byte{'"'}); ok && bytes.IndexByte(id, '\\') < 0 {
			return id, nil
		}
	}
	envelope, err := ParseEnvelope(structured)
	if err == nil && envelope.ID == "" {
		err = errNoID
	}
	return []byte(envelope.ID), err
}

var errNoID = errors.New("the event has no id")

// Event decodes the data of the envelope.
func (e *Envelope) Event() (Event, error) {
	var out Event
	if err := json.Unmarshal(e.Data, &out, jsontext.AllowInvalidUTF8(true)); err != nil {
		return Event{}, fmt.Errorf("parse event data: %w", err)
	}
	return out, nil
}

// Describe makes e the data of the envelope, and has the attributes that are made of it say what it says. The partition key is not made
// anew: it may be none of the record's.
func (e *Envelope) Describe(record *Event) error {
	data, err := json.Marshal(record, marshalOptions())
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	e.Data = data
	e.Subject = attributeText(record.CloudEventsSubject())
	e.ProviderEvent = attributeText(record.eventName())
	return nil
}

// SetDeadLetter marks the envelope as one that sink did not get, for reason.
func (e *Envelope) SetDeadLetter(sink, reason string) {
	e.DeadLetterSink = attributeText(sink)
	e.DeadLetterReason = attributeText(reason)
}

// attributeText drops what a CloudEvents string attribute must not hold: control characters and noncharacters (section 3.1, type String).
func attributeText(s string) string {
	if PlainLength(s) == len(s) && strings.IndexByte(s, '\x7f') < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || (r >= 0xFDD0 && r <= 0xFDEF) || r&0xFFFE == 0xFFFE {
			return -1
		}
		return r
	}, s)
}
