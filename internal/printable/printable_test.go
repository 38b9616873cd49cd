package printable_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/mailvane/mailvane/internal/printable"
)

// hostile is what somebody might have a terminal do: set its title, clear it, colour it, and write backwards, in 7 and in 8 bits.
const hostile = "\x1b]0;owned\a\x1b[2J\u009b31mred\u202egnp.exe\u2066\u200b\r\b\x00\x7f\xff"

func TestWriter(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain text\n\tand a tab": "plain text\n\tand a tab",
		"Grüße 漢字 \u00a0 👍":       "Grüße 漢字 \u00a0 👍",
		hostile:                   `\u001b]0;owned\u0007\u001b[2J\u009b31mred\u202egnp.exe\u2066\u200b\u000d\u0008\u0000\u007f\xff`,
		"cut \xe6\xbc":            `cut \xe6\xbc`,
	} {
		for _, step := range []int{1, 2, 3, 5, 1000} { // a character may be cut by two writes
			var out bytes.Buffer
			w := printable.NewWriter(&out)
			for rest := []byte(in); len(rest) > 0; {
				n := min(step, len(rest))
				if written, err := w.Write(rest[:n]); err != nil || written != n {
					t.Fatal(written, err)
				}
				rest = rest[n:]
			}
			w.Flush()
			if out.String() != want {
				t.Errorf("in steps of %d: %q, want %q", step, out.String(), want)
			}
		}
	}
}

func TestJSONStaysEqual(t *testing.T) {
	t.Parallel()
	in := map[string]string{"a": "\u009b2J \u202e 漢 \x1b"}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := printable.NewWriter(&out)
	_, _ = w.Write(text)
	var got map[string]string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["a"] != in["a"] {
		t.Errorf("%s: %q, %v", out.String(), got, err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	got := printable.Text("two\nlines\t" + hostile)
	if !strings.HasPrefix(got, `two\nlines\t\u001b`) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%q", got)
	}
}
