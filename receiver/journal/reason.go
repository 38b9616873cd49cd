package journal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxReasonBytes bounds what a dead letter says of why it is one. What a provider or a sink sent may be part of it.
const MaxReasonBytes = 1024

// Reason returns a text as the reason of a dead letter: of at most MaxReasonBytes, in valid UTF-8, on one line and without what a
// terminal would take for a command.
func Reason(text string) string {
	if len(text) > MaxReasonBytes {
		end := MaxReasonBytes
		for end > MaxReasonBytes-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "?")
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
}
