package wire

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unquote returns the value of a string that was scanned, for which it makes a copy only when it does not stand for itself. What is not
// UTF-8 becomes the replacement character, and so does NUL: JSON may escape it, but databases that hold text cannot hold it.
func unquote(quoted string) string {
	return strings.Map(func(r rune) rune {
		if r == 0 {
			return utf8.RuneError
		}
		return r
	}, unescaped(quoted[1:len(quoted)-1]))
}

// unescaped returns what a text within quotes stands for.
func unescaped(rest string) string {
	next := strings.IndexByte(rest, '\\')
	if next < 0 {
		return rest
	}
	var text strings.Builder
	text.Grow(len(rest))
	for ; next >= 0; next = strings.IndexByte(rest, '\\') {
		text.WriteString(rest[:next])
		r, size := unescape(rest[next:])
		text.WriteRune(r)
		rest = rest[next+size:]
	}
	text.WriteString(rest)
	return text.String()
}

// unescape returns what the escape that text begins with stands for, and its length. Half a character, of which the scanner
// took note, becomes the replacement character.
func unescape(text string) (r rune, size int) {
	switch text[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return rune(text[1]), 2
	}
	unit, _ := codeUnit(text)
	if !utf16.IsSurrogate(unit) {
		return unit, 6
	}
	low, _ := codeUnit(text[6:])
	if r = utf16.DecodeRune(unit, low); r == utf8.RuneError {
		return r, 6
	}
	return r, 12
}

// codeUnit reads the escape of a UTF-16 code unit, such as \u00e9, that text begins with.
func codeUnit(text string) (unit rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(text[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(c)
	}
	return unit, true
}
