// Package printable keeps what comes from outside from being a command to the terminal that shows it: providers, sinks, and
// whoever posts to an endpoint write texts that end up in tables, errors and logs.
package printable

import (
	"fmt"
	"io"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Writer writes all but printable text as escapes, such as \u001b for ESC, which leave JSON as valid and as equal as it was. It keeps
// line feeds and tabs. A character may be cut by two writes; Flush writes what is left of one. It is safe for concurrent use.
type Writer struct {
	mu   sync.Mutex
	to   io.Writer
	rest []byte // of a character that was cut
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{to: w} }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := p
	if len(w.rest) > 0 {
		text = append(w.rest, p...)
	}
	whole := len(text) - cut(text)
	out := escape(text[:whole])
	w.rest = append([]byte(nil), text[whole:]...)
	if _, err := w.to.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes the part of a character that no other write has completed.
func (w *Writer) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		_, _ = w.to.Write(escape(w.rest)) // there is nobody to tell
		w.rest = nil
	}
}

// cut returns how many bytes at the end begin a character that is not whole.
func cut(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// Text returns s with all but printable characters as escapes, line feeds and tabs too.
func Text(s string) string {
	out := escape([]byte(s))
	clean := make([]byte, 0, len(out))
	for _, b := range out {
		switch b {
		case '\n':
			clean = append(clean, `\n`...)
		case '\t':
			clean = append(clean, `\t`...)
		default:
			clean = append(clean, b)
		}
	}
	return string(clean)
}

// escape returns text itself where all of it may be shown.
func escape(text []byte) []byte {
	i := harmless(text)
	if i == len(text) {
		return text
	}
	out := append(make([]byte, 0, len(text)+32), text[:i]...)
	for i < len(text) {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, text[i])
		case shown(r):
			out = append(out, text[i:i+size]...)
		case r > 0xffff:
			out = append(out, "\\ufffd"...)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}

// harmless returns how many bytes at the beginning are printable ASCII, line feeds or tabs.
func harmless(text []byte) int {
	for i, b := range text {
		if b >= 0x7f || b < ' ' && b != '\n' && b != '\t' {
			return i
		}
	}
	return len(text)
}

// shown reports whether a character may reach a terminal: what is printed, and the spaces of all scripts. Characters that turn the direction
// of writing are neither.
func shown(r rune) bool {
	return r == '\n' || r == '\t' || unicode.IsPrint(r) || unicode.Is(unicode.Zs, r)
}
