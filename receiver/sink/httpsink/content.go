package httpsink

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/envelope"
	"github.com/mailvane/mailvane/receiver/sink/httpsink/settings"
)

// The media types of structured and batched content mode (CloudEvents JSON event format 1.0.2, sections 3 and 4).
const (
	structuredType = "application/cloudevents+json; charset=utf-8"
	batchedType    = "application/cloudevents-batch+json; charset=utf-8"
)

// content is one request before it is signed.
type content struct {
	// id is the same for every attempt to send the same.
	id     string
	header http.Header
	body   body
}

// contents turns messages into requests: one each, or one for all in batched mode.
func (t *target) contents(batch sink.Batch) ([]content, error) {
	if t.Mode == settings.ContentModeBatched {
		c, err := batched(batch)
		return []content{c}, err
	}
	one := t.encoder()
	list := make([]content, len(batch.Messages))
	for i := range batch.Messages {
		var err error
		if list[i], err = one(&batch.Messages[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// encoder returns what makes a request of one event.
func (t *target) encoder() func(*sink.Message) (content, error) {
	switch {
	case t.Body == settings.BodyTypeTemplate:
		return t.templated
	case t.Body == settings.BodyTypeRaw:
		return raw
	case t.Mode == settings.ContentModeBinary:
		return binary
	default:
		return structured
	}
}

// single is the body of one event.
func single(data []byte) body { return body{messages: []sink.Message{{Envelope: data}}} }

// structured sends the envelope as it is.
func structured(m *sink.Message) (content, error) {
	if m.ID == "" {
		return content{}, sink.Permanent(envelope.ErrNotAnEvent)
	}
	return content{id: m.ID, header: http.Header{"Content-Type": {structuredType}}, body: single(m.Envelope)}, nil
}

// batched makes the envelopes, as they are, the elements of one JSON array.
func batched(batch sink.Batch) (content, error) {
	if slices.ContainsFunc(batch.Messages, func(m sink.Message) bool { return m.ID == "" }) {
		return content{}, sink.Permanent(envelope.ErrNotAnEvent)
	}
	return content{id: batch.ID, header: http.Header{"Content-Type": {batchedType}}, body: body{messages: batch.Messages, list: true}}, nil
}

// Bounds of the encoded values of binary mode. Servers refuse header blocks beyond 8 to 16 KiB, and some a line beyond 8 KiB.
const (
	maxAttributeBytes  = 2 << 10
	maxAttributesBytes = 6 << 10
)

// binary puts the attributes into headers and the data, verbatim, into the body (CloudEvents HTTP protocol binding 1.0.2,
// section 3.1). An optional attribute without room is left out: cut short it would say something else, and the data has what it
// says.
func binary(m *sink.Message) (content, error) {
	attributes, data, err := envelope.Split(m.Envelope)
	if err != nil {
		return content{}, sink.Permanent(err)
	}
	c := content{header: http.Header{}, body: single(data)}
	room := maxAttributesBytes
	for _, a := range attributes {
		if a.Name == "datacontenttype" {
			c.header.Set("Content-Type", a.Value)
			continue
		}
		value := percentEncode(a.Value)
		fits := len(value) <= min(maxAttributeBytes, room)
		switch a.Name {
		case "id":
			c.id = a.Value
			fallthrough
		case "specversion", "source", "type":
			if !fits {
				return content{}, sink.Permanent(fmt.Errorf("attribute %q is too long for a header; use another contentMode", a.Name))
			}
		}
		if fits {
			room -= len(value)
			c.header.Set("Ce-"+a.Name, value)
		}
	}
	return c, nil
}

const hexDigits = "0123456789ABCDEF"

// percentEncode encodes a header value as section 3.1.3.2 of the binding says: spaces, double quotes, percent signs, and
// the UTF-8 bytes of what is not printable ASCII.
func percentEncode(s string) string {
	encoded := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c == '"' || c == '%' || c > '~' {
			encoded = append(encoded, '%', hexDigits[c>>4], hexDigits[c&0xF])
		} else {
			encoded = append(encoded, c)
		}
	}
	return string(encoded)
}
