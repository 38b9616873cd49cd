package event_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
)

// TestPlainLength puts each byte at each place of texts of each length, within a longer text, and asks jsontext what it does with it.
func TestPlainLength(t *testing.T) {
	t.Parallel()
	var odd [256]bool
	for c := range odd {
		quoted, err := jsontext.AppendQuote(nil, []byte{byte(c)})
		odd[c] = err != nil || !bytes.Equal(quoted, []byte{'"', byte(c), '"'})
	}
	for length := range 41 {
		text := []byte(strings.Repeat("~ [}aZ09", 6)[:length])
		if got := event.PlainLength(string(text)); got != length {
			t.Fatalf("%d of %q are plain", got, text)
		}
		for at, before := range text {
			for c := range odd {
				text[at] = byte(c)
				want := length
				if odd[c] {
					want = at
				}
				if got := event.PlainLength(string(text)); got != want {
					t.Fatalf("%d of %q are plain, want %d", got, text, want)
				}
			}
			text[at] = before
		}
	}
}

// TestPlainLengthOfTwo puts two odd bytes next to each other: what is found of the first must not rest on the second.
func TestPlainLengthOfTwo(t *testing.T) {
	t.Parallel()
	for first := range 256 {
		for second := range 256 {
			text := "abc" + string([]byte{byte(first), byte(second)}) + "def"
			want := 0
			for want < len(text) && event.PlainLength(text[want:want+1]) == 1 {
				want++
			}
			if got := event.PlainLength(text); got != want {
				t.Fatalf("%d of %q are plain, want %d", got, text, want)
			}
		}
	}
}
