package event

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Head are the context attributes at the beginning of an encoded event: those that every CloudEvent has, and the provider.
type Head struct {
	ID, Source, Type, Subject, Provider string
	Time                                time.Time
}

// HeadOf returns the head of an encoded event. Of what [Encode] wrote only the beginning is read.
func HeadOf(structured []byte) (Head, error) {
	h, at, ok := scanHead(structured)
	if !ok {
		envelope, err := ParseEnvelope(structured)
		if err != nil {
			return Head{}, err
		}
		h, at = Head{ID: envelope.ID, Source: envelope.Source, Type: envelope.Type, Subject: envelope.Subject, Provider: envelope.Provider}, envelope.Time
	}
	if h.ID == "" || h.Source == "" || h.Type == "" {
		return Head{}, errNoHead
	}
	if at == "" {
		return h, nil
	}
	var err error
	if h.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return Head{}, fmt.Errorf("parse event: its time is not one of RFC 3339: %w", err)
	}
	return h, nil
}

var errNoHead = errors.New("the event lacks id, source or type")

// scanHead reads the attributes in the order in which they are written, the optional ones if they are there. It copies once.
func scanHead(structured []byte) (h Head, at string, ok bool) {
	const start = `{"specversion":"` + specVersion + `",`
	const form = `"datacontenttype":"` + dataContentType + `","dataschema":"` + DataSchema + `",`
	if !bytes.HasPrefix(structured, []byte(start)) {
		return Head{}, "", false
	}
	const members = 6
	var values [members][]byte
	rest := structured[len(start):]
	for i, name := range [members]string{`"id":"`, `"source":"`, `"type":"`, `"subject":"`, `"time":"`, `"provider":"`} {
		if i == members-1 {
			rest = bytes.TrimPrefix(rest, []byte(form))
		}
		if !bytes.HasPrefix(rest, []byte(name)) {
			continue
		}
		end := endOfString(rest, len(name))
		if end >= len(rest) || rest[end] != ',' {
			return Head{}, "", false
		}
		values[i], rest = rest[len(name)-1:end], rest[end+1:]
	}
	text := string(structured[:len(structured)-len(rest)])
	cut := func(value []byte) string {
		if len(value) == 0 {
			return ""
		}
		if bytes.IndexByte(value, '\\') >= 0 {
			plain, err := jsontext.AppendUnquote(nil, value)
			ok = ok && err == nil
			return string(plain)
		}
		from := cap(structured) - cap(value)
		return text[from+1 : from+len(value)-1]
	}
	ok = true
	h = Head{ID: cut(values[0]), Source: cut(values[1]), Type: cut(values[2]), Subject: cut(values[3]), Provider: cut(values[5])}
	return h, cut(values[4]), ok
}
