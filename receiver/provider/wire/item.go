package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var (
	// errNotObject says that something else stands where an event should.
	errNotObject = errors.New("expected a JSON object")
	errCrowded   = fmt.Errorf("more than %d values in one item", maxValues)
)

// Item is one of the events that a body holds.
type Item struct {
	// Raw is its JSON, in which no half of a character is escaped. It aliases the body where nothing had to be replaced.
	Raw jsontext.Value
	// Object looks up its members.
	Object

	at int // where Raw begins in the text of Object
}

// PerBody estimates how many items a body holds if they all have the length of this one.
func (it *Item) PerBody(body []byte) int {
	return min(len(body)/len(it.Raw)+1, maxItems)
}

// Trim returns body without surrounding JSON white space.
func Trim(body []byte) jsontext.Value {
	return bytes.Trim(body, " \t\r\n")
}

// Single reads a body that is one JSON object, and returns what read does. Errors of its own say what is wrong and where, and
// hold nothing of the content. The Object of the Item is good until read returns.
func Single(body []byte, read func(Item) error) error {
	raw := jsontext.Value(mend(Trim(body)))
	if raw.Kind() != jsontext.KindBeginObject {
		return errNotObject
	}
	s := newScanner(raw)
	defer s.release()
	if s.value(0, 0) != len(raw) {
		if s.crowded() && raw.IsValid() {
			return errCrowded
		}
		return refusal(raw)
	}
	item, err := s.item(raw, 0)
	if err != nil {
		return err
	}
	return read(item)
}

// Items reads a body that is one JSON object or an array of them, item by item. One that is of the wrong kind, or holds
// duplicate names or invalid UTF-8, comes with an error and does not hide its neighbours. When the body breaks off, is no
// JSON from some point on, or holds more items than any provider sends, an error with the whole body in place of an
// item is the last that comes. The errors are those of [Single].
func Items(body []byte) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		trimmed := Trim(body)
		switch trimmed.Kind() {
		case jsontext.KindBeginObject:
			err := Single(trimmed, func(item Item) error {
				yield(item, nil)
				return nil
			})
			if err != nil {
				yield(Item{Raw: trimmed}, err)
			}
		case jsontext.KindBeginArray:
			mended := mend(trimmed)
			s := newScanner(mended)
			defer s.release()
			if err := s.items(mended, yield); err != nil {
				yield(Item{Raw: body}, err)
			}
		default:
			yield(Item{Raw: body}, errors.New("expected a JSON object or array"))
		}
	}
}

// items reads the array that body is. It returns what ends the array early; nil when yield wants no more.
func (s *scanner) items(body []byte, yield func(Item, error) bool) error {
	at := s.space(1)
	if s.byte(at) == ']' {
		return s.rest(at + 1)
	}
	for count := 0; ; count++ {
		end := s.value(at, 1)
		if s.crowded() {
			end = skip(body, at)
		}
		if end == noJSON {
			return refusal(body, grammarAlone())
		}
		if count == maxItems {
			return fmt.Errorf("more than %d items", maxItems)
		}
		if !yield(s.item(body[at:end:end], at)) {
			return nil
		}
		s.members, s.flawed, s.values = s.members[:0], false, 0
		at = s.space(end)
		switch s.byte(at) {
		case ',':
			at = s.space(at + 1)
		case ']':
			return s.rest(at + 1)
		default:
			return refusal(body, grammarAlone())
		}
	}
}

// rest returns an error when anything but white space follows the array that ends at a position.
func (s *scanner) rest(at int) error {
	if at = s.space(at); at < len(s.text) {
		return fmt.Errorf("invalid JSON: more data after the array, at byte %d", at)
	}
	return nil
}

// skip returns where the value ends that begins at a position, or noJSON, and remembers nothing of it.
func skip(body []byte, at int) int {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body[at:]), grammarAlone())
	if dec.SkipValue() != nil {
		return noJSON
	}
	return at + int(dec.InputOffset())
}

// item returns what was scanned last, whose JSON is raw and begins at a position.
func (s *scanner) item(raw jsontext.Value, at int) (Item, error) {
	switch {
	case raw.Kind() != jsontext.KindBeginObject:
		return Item{Raw: raw}, errNotObject
	case s.crowded():
		return Item{Raw: raw}, errCrowded
	case s.flawed:
		return Item{Raw: raw}, refusal(raw)
	default:
		return Item{Raw: raw, Object: Object{text: s.text, members: s.members}, at: at}, nil
	}
}

// grammarAlone lets the decoder pass over what is wrong within an item.
func grammarAlone() jsontext.Options {
	return json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// refusal says what is wrong with raw, which the scanner refused. It asks a decoder that knows, for which a body that is as it
// should be has no time. Its own words would quote member names and characters.
func refusal(raw []byte, options ...jsontext.Options) error {
	err := json.Unmarshal(raw, new(jsontext.Value), options...)
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return errors.New("invalid JSON")
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
