// Package envelope takes structured CloudEvents apart, for destinations that have attributes and data in different places.
package envelope

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Attribute is one context attribute of an event, as text.
type Attribute struct{ Name, Value string }

// ErrNotAnEvent says that something is no event in JSON.
var ErrNotAnEvent = errors.New("message is not a CloudEvent in JSON")

// Split splits a structured event into its context attributes, in their order, and its data as it stands there, which is a copy. The
// error wraps [ErrNotAnEvent]; it lasts.
func Split(envelope []byte) (attributes []Attribute, data []byte, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(envelope), jsontext.AllowInvalidUTF8(true))
	if open, err := d.ReadToken(); err != nil || open.Kind() != '{' {
		return nil, nil, ErrNotAnEvent
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, nil, ErrNotAnEvent
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, nil, ErrNotAnEvent
		}
		switch {
		case key == "data":
			data = bytes.Clone(value)
		case value.Kind() == '"':
			text, err := jsontext.AppendUnquote(nil, value)
			if err != nil {
				return nil, nil, fmt.Errorf("attribute %q: %w", key, ErrNotAnEvent)
			}
			attributes = append(attributes, Attribute{key, string(text)})
		default: // a number or a boolean
			attributes = append(attributes, Attribute{key, string(value)})
		}
	}
	if end, err := d.ReadToken(); err != nil || end.Kind() != '}' {
		return nil, nil, ErrNotAnEvent
	}
	return attributes, data, nil
}
