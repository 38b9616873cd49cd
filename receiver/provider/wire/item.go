package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var (
	// errNotObject says that something else stands where an event should.
	errNotObject = errors.New("expected a JSON object")
	errNotItems  = errors.New("expected a JSON object or array")
	errCrowded   = fmt.Errorf("more than %d values in one item", maxValues)
	errDeep      = fmt.Errorf("nested more than %d levels deep", maxDepth)
	errUTF16     = errors.New("the body is UTF-16, and JSON must be UTF-8 (RFC 8259 section 8.1)")
)

// byteOrderMark is that of UTF-8. A reader may ignore it (RFC 8259 section 8.1), and proxies and editors add it.
const byteOrderMark = "\ufeff"

// Item is one of the events that a body holds.
type Item struct {
	// Raw is what an event keeps of it: its JSON, or what [Unwrap] makes it of where that is no JSON that every reader takes. It
	// aliases the body where it can.
	Raw jsontext.Value
	// Sent are its bytes as they came. They alias the body.
	Sent []byte
	// Object looks up its members.
	Object

	at       int // where Sent begins in the text of Object
	oddities oddities
}

// PerBody estimates how many items a body holds if they all have the length of this one.
func (it *Item) PerBody(body []byte) int {
	return min(len(body)/len(it.Sent)+1, maxItems)
}

// Doubt returns an error that names the first member that was looked up and occurs twice with different values: nobody knows which of
// them the provider means. A name that occurs twice where nobody looks is of no account.
func (it *Item) Doubt() error { return it.doubt.err() }

// Trim returns body without a byte order mark and surrounding JSON white space.
func Trim(body []byte) jsontext.Value {
	const space = " \t\r\n"
	return bytes.Trim(bytes.TrimPrefix(bytes.Trim(body, space), []byte(byteOrderMark)), space)
}

// Single reads a body that is one JSON object, and returns what read does, or [Item.Doubt] about what it has looked up. Errors of its
// own say what is wrong and where, and hold nothing of the content. The Object of the Item is good until read returns.
func Single(body []byte, read func(Item) error) error {
	return single(Trim(body), func(item Item) error {
		if err := read(item); err != nil {
			return err
		}
		return item.Doubt()
	})
}

// single reads a body that is trimmed.
func single(body jsontext.Value, read func(Item) error) error {
	if isUTF16(body) {
		return errUTF16
	}
	if body.Kind() != jsontext.KindBeginObject {
		return errNotObject
	}
	s := newScanner(body)
	defer s.release()
	if s.value(0, 0) != len(body) {
		if s.crowded() && skip(body, 0) == len(body) {
			return errCrowded
		}
		return s.refusal(body)
	}
	item, err := s.item(body, 0, 0)
	if err != nil {
		return err
	}
	return read(item)
}

// isUTF16 says whether a body begins as JSON in UTF-16 does, with a byte order mark or with one of the first characters, all of ASCII.
func isUTF16(body []byte) bool {
	return len(body) > 1 && (body[0] == 0 || body[1] == 0 || body[0] >= 0xfe && body[1] >= 0xfe)
}

// Items reads a body that is one JSON object or an array of them, item by item. One that is of the wrong kind comes with an error and
// does not hide its neighbours; whether what was looked up in one is in doubt is to be asked of it. When the body breaks off, is no
// JSON from some point on, or holds more items than any provider sends, an error with the whole body in place of an
// item is the last that comes. The errors are those of [Single].
func Items(body []byte) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		trimmed := Trim(body)
		switch kind := trimmed.Kind(); {
		case isUTF16(trimmed):
			yield(undecodable(body), errUTF16)
		case kind == jsontext.KindBeginObject:
			err := single(trimmed, func(item Item) error {
				yield(item, nil)
				return nil
			})
			if err != nil {
				yield(undecodable(trimmed), err)
			}
		case kind == jsontext.KindBeginArray:
			s := newScanner(trimmed)
			defer s.release()
			if err := s.items(trimmed, yield); err != nil {
				yield(undecodable(body), err)
			}
		default:
			yield(undecodable(body), errNotItems)
		}
	}
}

// undecodable returns an item of which there is nothing but its bytes.
func undecodable(sent []byte) Item { return Item{Raw: sent, Sent: sent} }

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
			return s.refusal(body)
		}
		if count == maxItems {
			return fmt.Errorf("more than %d items", maxItems)
		}
		if !yield(s.item(body[at:end:end], at, 1)) {
			return nil
		}
		s.members, s.oddities, s.values = s.members[:0], oddities{}, 0
		at = s.space(end)
		switch s.byte(at) {
		case ',':
			at = s.space(at + 1)
		case ']':
			return s.rest(at + 1)
		default:
			return s.refusal(body)
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
	dec := jsontext.NewDecoder(bytes.NewBuffer(body[at:]), grammarAlone()...)
	if dec.SkipValue() != nil {
		return noJSON
	}
	return at + int(dec.InputOffset())
}

// item returns what was scanned last, whose bytes begin at a position, in as many arrays as depth says.
func (s *scanner) item(sent jsontext.Value, at, depth int) (Item, error) {
	switch {
	case sent.Kind() != jsontext.KindBeginObject:
		return undecodable(sent), errNotObject
	case s.crowded():
		return undecodable(sent), errCrowded
	default:
		s.deepest -= depth
		return Item{
			Raw: s.keep(sent), Sent: sent, Object: Object{text: s.text, members: s.members, doubt: &s.doubt},
			at: at, oddities: s.oddities,
		}, nil
	}
}

// grammarAlone lets the decoder pass over what is odd, but JSON.
func grammarAlone() []jsontext.Options {
	return []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
}

// refusal says what is wrong with a body, which the scanner refused. It asks a decoder that knows, for which a body that is as it
// should be has no time. Its own words would quote member names and characters.
func (s *scanner) refusal(body []byte) error {
	if s.deepest > maxDepth {
		return errDeep
	}
	err := json.Unmarshal(body, new(jsontext.Value), json.JoinOptions(grammarAlone()...))
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return errors.New("invalid JSON")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("invalid JSON: ends early, at byte %d", syntax.ByteOffset)
	}
	return fmt.Errorf("invalid JSON: syntax error at byte %d%s", syntax.ByteOffset, expectation(err))
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
