package wire

import (
	"math"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mailvane/mailvane/receiver/event"
)

const (
	// maxDepth is how many objects and arrays may lie in one another, as in package jsontext. It bounds the recursion.
	maxDepth = 10_000
	// maxText is the length of a text whose positions a member can hold. A longer one is taken as broken off there.
	maxText = math.MaxInt32
	// maxValues is how many values an item may hold: what is remembered of each takes more than the few bytes that it may be sent in.
	// A message to 50,000 recipients, whose lists name each of them twice, is far below it.
	maxValues = 200_000
	// maxKeptMembers bounds the memory that a scanner keeps for the next text: 6 KiB.
	maxKeptMembers = 256
	// noJSON is where a value ends that is none.
	noJSON = -1
)

// scanner checks a JSON text (RFC 8259) in one pass and notes the members of its objects. The position after a value is
// what its methods return, or noJSON.
type scanner struct {
	text string
	// members are those of the objects that are not in an array, each followed by what is in it.
	members []member
	// oddities are those of the present item.
	oddities
	// escaped says that a string does not stand for itself since this was last cleared: something in it is escaped, or not UTF-8.
	escaped bool
	// values counts those of the present item. It stands still at one more than there may be.
	values int
}

// scanners are used again for the next text, with the memory of their members.
var scanners = sync.Pool{New: func() any { return new(scanner) }} //nolint:gochecknoglobals // holds nothing of what was scanned

// newScanner returns a scanner of body, to be released once no Object of it is used any more.
func newScanner(body []byte) *scanner {
	s, _ := scanners.Get().(*scanner) // it holds nothing else
	s.text, s.oddities, s.values = string(body[:min(len(body), maxText)]), oddities{}, 0
	return s
}

func (s *scanner) release() {
	if cap(s.members) > maxKeptMembers {
		s.members = nil
	}
	s.text, s.members = "", s.members[:0]
	scanners.Put(s)
}

// crowded says that the scan ended because there were more values than an item may hold.
func (s *scanner) crowded() bool { return s.values > maxValues }

// value scans the value that begins at a position, in as many objects and arrays as depth says.
func (s *scanner) value(at, depth int) int {
	if s.values++; s.values > maxValues {
		s.values = maxValues + 1
		return noJSON
	}
	switch s.byte(at) {
	case '"':
		return s.string(at)
	case '{':
		return s.object(at, depth+1)
	case '[':
		return s.array(at, depth+1)
	case 't':
		return s.literal(at, "true")
	case 'f':
		return s.literal(at, "false")
	case 'n':
		return s.literal(at, "null")
	default:
		return s.number(at)
	}
}

// byte returns the byte at a position, 0 behind the end: what no token begins with.
func (s *scanner) byte(at int) byte {
	if at < len(s.text) {
		return s.text[at]
	}
	return 0
}

func (s *scanner) space(at int) int {
	for at < len(s.text) && (s.text[at] == ' ' || s.text[at] == '\n' || s.text[at] == '\r' || s.text[at] == '\t') {
		at++
	}
	return at
}

func (s *scanner) literal(at int, word string) int {
	if !strings.HasPrefix(s.text[at:], word) {
		return noJSON
	}
	return at + len(word)
}

func (s *scanner) object(at, depth int) int {
	if !s.descend(depth) {
		return noJSON
	}
	at = s.space(at + 1)
	if s.byte(at) == '}' {
		return at + 1
	}
	names := names{first: len(s.members)}
	for {
		i := len(s.members)
		if at = s.name(at); at == noJSON {
			return noJSON
		}
		first, repeated := names.taken(s.text, s.members)
		start := at
		s.escaped = false
		if at = s.value(at, depth); at == noJSON {
			return noJSON
		}
		m := &s.members[i]
		m.start, m.end, m.size, m.plain = int32(start), int32(at), int32(len(s.members)-i), !s.escaped
		if repeated {
			s.repeated = true
			before := &s.members[first]
			before.disputed = before.disputed || s.text[before.start:before.end] != s.text[start:at]
		}
		at = s.space(at)
		switch s.byte(at) {
		case ',':
			at = s.space(at + 1)
		case '}':
			return at + 1
		default:
			return noJSON
		}
	}
}

// name scans a name and the colon behind it, begins a member of it, and returns where its value begins.
func (s *scanner) name(at int) int {
	if s.byte(at) != '"' {
		return noJSON
	}
	s.escaped = false
	end := s.string(at)
	if end == noJSON {
		return noJSON
	}
	colon := s.space(end)
	if s.byte(colon) != ':' {
		return noJSON
	}
	m := member{name: int32(at + 1), nameEnd: int32(end - 1), escaped: s.escaped}
	m.mark = markOf(m.nameIn(s.text))
	s.members = append(s.members, m)
	return s.space(colon + 1)
}

// array scans an array. The members of what is in it are forgotten: an array may hold any number of objects.
func (s *scanner) array(at, depth int) int {
	if !s.descend(depth) {
		return noJSON
	}
	at = s.space(at + 1)
	if s.byte(at) == ']' {
		return at + 1
	}
	known := len(s.members)
	for {
		if at = s.value(at, depth); at == noJSON {
			return noJSON
		}
		s.members = s.members[:known]
		at = s.space(at)
		switch s.byte(at) {
		case ',':
			at = s.space(at + 1)
		case ']':
			return at + 1
		default:
			return noJSON
		}
	}
}

// string scans a string, which begins with the quote at a position.
func (s *scanner) string(at int) int {
	text := s.text
	for at++; at < len(text); {
		at += event.PlainLength(text[at:])
		if at == len(text) {
			return noJSON
		}
		switch c := text[at]; {
		case c == '"':
			return at + 1
		case c == '\\':
			if at = s.escape(at); at == noJSON {
				return noJSON
			}
		case c < ' ':
			return noJSON
		default:
			r, size := utf8.DecodeRuneInString(text[at:])
			if r == utf8.RuneError && size == 1 {
				s.notUTF8, s.escaped = true, true
			}
			at += size
		}
	}
	return noJSON
}

func (s *scanner) escape(at int) int {
	s.escaped = true
	switch s.byte(at + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 2
	case 'u':
	default:
		return noJSON
	}
	unit, ok := codeUnit(s.text[at:])
	if !ok {
		return noJSON
	}
	if !utf16.IsSurrogate(unit) {
		return at + 6
	}
	if low, ok := codeUnit(s.text[at+6:]); ok && utf16.DecodeRune(unit, low) != utf8.RuneError {
		return at + 12
	}
	s.halves = true
	return at + 6
}

func (s *scanner) number(at int) int {
	if s.byte(at) == '-' {
		at++
	}
	if s.byte(at) == '0' {
		at++
	} else if at = s.digits(at); at == noJSON {
		return noJSON
	}
	if s.byte(at) == '.' {
		if at = s.digits(at + 1); at == noJSON {
			return noJSON
		}
	}
	if s.byte(at)|0x20 != 'e' {
		return at
	}
	at++
	if c := s.byte(at); c == '+' || c == '-' {
		at++
	}
	return s.digits(at)
}

// digits scans one digit or more.
func (s *scanner) digits(at int) int {
	start := at
	for '0' <= s.byte(at) && s.byte(at) <= '9' {
		at++
	}
	if at == start {
		return noJSON
	}
	return at
}
