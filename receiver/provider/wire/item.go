package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// errNotObject says that something else stands where an event should.
var errNotObject = errors.New("expected a JSON object")

// DecodeObject decodes raw, which must be one JSON object, into the struct that out points to. Its errors say what is
// wrong and where, and hold nothing of the content.
func DecodeObject(raw jsontext.Value, out any) error {
	if raw.Kind() != jsontext.KindBeginObject {
		return errNotObject
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return describe(raw, err)
	}
	return nil
}

// Trim returns body without surrounding JSON white space.
func Trim(body []byte) jsontext.Value {
	return bytes.Trim(body, " \t\r\n")
}

// Items splits a body that is one JSON object or an array into its items, which alias body. Items are looked at no
// closer than the split needs: one that is of the wrong kind, or holds duplicate names or invalid UTF-8, does not
// hide its neighbours. When the body breaks off, is no JSON from some point on, or holds more items than any provider
// sends, the items before that are returned with an error.
func Items(body []byte) ([]jsontext.Value, error) {
	trimmed := Trim(body)
	switch trimmed.Kind() {
	case jsontext.KindBeginObject:
		return []jsontext.Value{trimmed}, nil
	case jsontext.KindBeginArray:
		return splitArray(trimmed)
	default:
		return nil, errors.New("expected a JSON object or array")
	}
}

func splitArray(body []byte) ([]jsontext.Value, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if _, err := dec.ReadToken(); err != nil {
		return nil, describe(body, err)
	}
	var items []jsontext.Value
	for {
		switch dec.PeekKind() {
		case jsontext.KindEndArray:
			return items, endArray(dec, body)
		default:
			value, err := dec.ReadValue()
			if err != nil {
				return items, describe(body, err)
			}
			if len(items) == maxItems {
				return items, fmt.Errorf("more than %d items", maxItems)
			}
			end := int(dec.InputOffset())
			start := end - len(value)
			items = append(items, body[start:end:end])
		}
	}
}

func endArray(dec *jsontext.Decoder, body []byte) error {
	if _, err := dec.ReadToken(); err != nil {
		return describe(body, err)
	}
	_, err := dec.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return describe(body, err)
	default:
		return fmt.Errorf("invalid JSON: more data after the array, before byte %d", dec.InputOffset())
	}
}

// Members calls visit for each member of an object that was found to be valid: with the text of a scalar, and with the
// JSON of an array or an object. Null is "".
func Members(object jsontext.Value, visit func(name string, text Text)) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(object))
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for dec.PeekKind() == jsontext.KindString {
		name, err := dec.ReadToken()
		if err != nil {
			return
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return
		}
		visit(key, textOf(value))
	}
}

func textOf(value jsontext.Value) Text {
	switch value.Kind() {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		return Text(value)
	default:
		var t Text
		if err := json.Unmarshal(value, &t); err != nil {
			return ""
		}
		return t
	}
}

// describe turns an error of the JSON decoder into one that holds nothing of raw: the decoder quotes member names
// and characters.
func describe(raw []byte, err error) error {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return errors.New("invalid JSON: a value is not of the expected kind")
	}
	at := syntax.ByteOffset
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Errorf("invalid JSON: duplicate member name at byte %d", at)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("invalid JSON: ends early, at byte %d", at)
	case !utf8.Valid(raw):
		return fmt.Errorf("invalid JSON: invalid UTF-8 at byte %d", at)
	default:
		return fmt.Errorf("invalid JSON: syntax error at byte %d%s", at, expectation(err))
	}
}

// expectation keeps what the decoder says it expected, which is grammar and no content, such as " (expecting ',' or '}')".
func expectation(err error) string {
	text := err.Error()
	start := strings.LastIndex(text, "(expecting ")
	if start < 0 {
		return ""
	}
	end := strings.LastIndexByte(text[start:], ')')
	if end < 0 {
		return ""
	}
	return " " + text[start:start+end+1]
}
