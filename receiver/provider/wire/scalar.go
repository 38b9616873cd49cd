// Package wire holds what the providers' decoders share: JSON types that take what providers really send, the split of
// a body into items, the reading of timestamps, and the words for what is wrong with a body.
//
// The types never fail on a value of another kind than the documented one: an odd optional field must not cost an event.
// They do fail on what is not JSON, on duplicate names and on invalid UTF-8.
package wire

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Text is a JSON scalar as text: the value of a string, the digits of a number as written (64-bit ids keep every
// digit), "true" or "false". Null, an object or an array is "".
type Text string

// UnmarshalJSONFrom reads the next value of dec.
func (t *Text) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*t = ""
	switch dec.PeekKind() {
	case jsontext.KindBeginObject, jsontext.KindBeginArray, jsontext.KindNull:
		return dec.SkipValue()
	default:
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		*t = Text(token.String())
		return nil
	}
}

// String returns the text.
func (t Text) String() string { return string(t) }

// SMTPCode returns the text as an SMTP reply code, or 0 when it is none (RFC 5321 section 4.2: 200 to 599).
func (t Text) SMTPCode() int {
	if t == "" {
		return 0
	}
	code, err := strconv.Atoi(strings.TrimSpace(string(t)))
	if err != nil || code < 200 || code > 599 {
		return 0
	}
	return code
}

// Texts is a list of scalars: an array, or one scalar in place of an array, or an array encoded as a string. Elements that are
// no scalars or are empty are left out.
type Texts []string

// UnmarshalJSONFrom reads the next value of dec.
func (t *Texts) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*t = nil
	if dec.PeekKind() != jsontext.KindBeginArray {
		var one Text
		if err := one.UnmarshalJSONFrom(dec); err != nil {
			return err
		}
		*t = encodedTexts(string(one))
		return nil
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndArray {
		var element Text
		if err := element.UnmarshalJSONFrom(dec); err != nil {
			return err
		}
		if element != "" {
			*t = append(*t, string(element))
		}
	}
	_, err := dec.ReadToken()
	return err
}

// encodedTexts reads a scalar that stands in place of an array.
func encodedTexts(text string) Texts {
	if text == "" {
		return nil
	}
	if strings.HasPrefix(text, "[") {
		var list []Text
		if json.Unmarshal([]byte(text), &list) == nil {
			return textsOf(list)
		}
	}
	return Texts{text}
}

func textsOf(list []Text) Texts {
	var texts Texts
	for _, element := range list {
		if element != "" {
			texts = append(texts, string(element))
		}
	}
	return texts
}

// Object is a member that is decoded into a T when it is an object, and is the zero T when it is anything else.
type Object[T any] struct {
	// Value is what was decoded.
	Value T
	// Present says that the member was an object.
	Present bool
}

// UnmarshalJSONFrom reads the next value of dec.
func (o *Object[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	o.Present = true
	return json.UnmarshalDecode(dec, &o.Value)
}

// Span is where a member's value lies in the decoded JSON. It lets a decoder come back to a value without a copy of it.
type Span struct {
	start, end int64
}

// UnmarshalJSONFrom reads the next value of dec.
func (s *Span) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	s.end = dec.InputOffset()
	s.start = s.end - int64(len(value))
	return nil
}

// Of returns the value in raw, the JSON that was decoded; nil when the member was absent.
func (s Span) Of(raw jsontext.Value) jsontext.Value {
	return raw[s.start:s.end]
}

// Objects is a list of objects: an array, or one object in place of an array. Elements that are no objects are left out.
type Objects[T any] []T

// UnmarshalJSONFrom reads the next value of dec.
func (o *Objects[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*o = nil
	if dec.PeekKind() != jsontext.KindBeginArray {
		return o.element(dec)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndArray {
		if err := o.element(dec); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

func (o *Objects[T]) element(dec *jsontext.Decoder) error {
	var one Object[T]
	if err := one.UnmarshalJSONFrom(dec); err != nil {
		return err
	}
	if one.Present {
		*o = append(*o, one.Value)
	}
	return nil
}
