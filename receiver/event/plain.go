package event

import (
	"math/bits"
	"unicode/utf8"
)

// A word is eight bytes of a text, the first of them lowest. Arithmetic on it looks at all of them at once.
const (
	wordBytes = 8
	eachByte  = 0x0101010101010101 // times a byte: that byte in each place
	highBits  = 0x80 * eachByte
)

// PlainLength returns how many bytes text begins with that stand for themselves in a JSON string: ASCII other than
// control characters, quote and backslash. Nearly all text is of them, so they are looked at a word at a time.
func PlainLength(text string) int {
	n := 0
	for ; n+wordBytes <= len(text); n += wordBytes {
		if odd := oddBytes(word(text[n : n+wordBytes])); odd != 0 {
			return n + bits.TrailingZeros64(odd)/8
		}
	}
	for n < len(text) && plain(text[n]) {
		n++
	}
	return n
}

func plain(c byte) bool { return c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' }

// word reads the eight bytes of a text. The compiler makes one load of it.
func word(text string) uint64 {
	_ = text[wordBytes-1]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
}

// oddBytes returns a word whose lowest bit is the high one of the first byte of w that is not plain; 0 when all are. The
// borrow of a subtraction goes upward, so that what is above the first says nothing.
func oddBytes(w uint64) uint64 {
	quote, backslash := w^('"'*eachByte), w^('\\'*eachByte)
	return (w | (w - ' '*eachByte) | (quote - eachByte) | (backslash - eachByte)) & highBits
}

// quotesAndBackslashes returns a word whose lowest bit is the high one of the first quote or backslash in w; 0 when there is none.
func quotesAndBackslashes(w uint64) uint64 {
	quote, backslash := w^('"'*eachByte), w^('\\'*eachByte)
	return ((quote-eachByte)&^quote | (backslash-eachByte)&^backslash) & highBits
}
