package httpsink

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
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
	body   []byte
}

// attribute is one context attribute of an event.
type attribute struct{ name, value string }

// contents turns messages into requests: one each, or one for all in batched mode.
func (t *target) contents(messages []sink.Message) ([]content, error) {
	if t.mode == modeBatched {
		c, err := batched(messages)
		return []content{c}, err
	}
	list := make([]content, len(messages))
	for i := range messages {
		attributes, data, err := parseEnvelope(messages[i].Envelope)
		if err != nil {
			return nil, err
		}
		if t.mode == modeBinary {
			list[i] = binary(attributes, data)
		} else {
			list[i] = content{header: http.Header{"Content-Type": {structuredType}}, body: messages[i].Envelope}
		}
		list[i].id = find(attributes, "id")
	}
	return list, nil
}

// batched joins the envelopes as they are into one JSON array.
func batched(messages []sink.Message) (content, error) {
	size := len("[]")
	for i := range messages {
		size += len(messages[i].Envelope) + len(",")
	}
	body := append(make([]byte, 0, size), '[')
	ids := make([]string, len(messages))
	for i := range messages {
		attributes, _, err := parseEnvelope(messages[i].Envelope)
		if err != nil {
			return content{}, err
		}
		ids[i] = find(attributes, "id")
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, messages[i].Envelope...)
	}
	id := event.HashID(ids...)
	return content{id: id, header: http.Header{"Content-Type": {batchedType}}, body: append(body, ']')}, nil
}

// binary puts the attributes into headers and the data, verbatim, into the body (CloudEvents HTTP protocol binding 1.0.2,
// section 3.1).
func binary(attributes []attribute, data []byte) content {
	h := http.Header{}
	for _, a := range attributes {
		if a.name == "datacontenttype" {
			h.Set("Content-Type", a.value)
			continue
		}
		h.Set("Ce-"+a.name, percentEncode(a.value))
	}
	return content{header: h, body: data}
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

func find(attributes []attribute, name string) string {
	for _, a := range attributes {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

var errNotAnEvent = errors.New("message is not a CloudEvent in JSON")

// parseEnvelope splits a structured event into its context attributes, in their order, and its data as it stands there.
func parseEnvelope(envelope []byte) (attributes []attribute, data []byte, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(envelope), jsontext.AllowInvalidUTF8(true))
	if open, err := d.ReadToken(); err != nil || open.Kind() != '{' {
		return nil, nil, sink.Permanent(errNotAnEvent)
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, nil, sink.Permanent(errNotAnEvent)
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, nil, sink.Permanent(errNotAnEvent)
		}
		switch {
		case key == "data":
			data = bytes.Clone(value)
		case value.Kind() == '"':
			text, err := jsontext.AppendUnquote(nil, value)
			if err != nil {
				return nil, nil, sink.Permanent(fmt.Errorf("attribute %q: %w", key, errNotAnEvent))
			}
			attributes = append(attributes, attribute{key, string(text)})
		default: // a number or a boolean
			attributes = append(attributes, attribute{key, string(value)})
		}
	}
	return attributes, data, nil
}
