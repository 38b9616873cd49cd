package wire

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// mend returns body with each escape of half a character (a surrogate without its other half) replaced by that of U+FFFD, which
// has the same length. EmailEngine leaves such where it cuts a text, by UTF-16 code units, within an emoji. Decoders that go
// by RFC 7493 section 2.1 refuse it, and so would sinks.
func mend(body []byte) []byte {
	if !bytes.Contains(body, []byte(`\ud`)) && !bytes.Contains(body, []byte(`\uD`)) {
		return body
	}
	mended := slices.Clone(body)
	for at := 0; at < len(body); {
		next := bytes.IndexByte(body[at:], '\\')
		if next < 0 {
			break
		}
		at += next
		length, half := escapeAt(body[at:])
		if half {
			copy(mended[at:], `\ufffd`)
		}
		at += length
	}
	return mended
}

// mendText does as mend does with a text.
func mendText(text string) string {
	if !strings.Contains(text, `\ud`) && !strings.Contains(text, `\uD`) {
		return text
	}
	return string(mend([]byte(text)))
}

// escapeAt returns the length of the escape that text begins with, and whether it is of half a character.
func escapeAt(text []byte) (length int, half bool) {
	unit, ok := codeUnit(string(text[:min(6, len(text))]))
	if !ok {
		return 2, false
	}
	if !utf16.IsSurrogate(unit) {
		return 6, false
	}
	low, ok := codeUnit(string(text[6:min(12, len(text))]))
	if ok && utf16.DecodeRune(unit, low) != utf8.RuneError {
		return 12, false
	}
	return 6, true
}
