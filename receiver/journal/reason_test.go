package journal_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mailvane/mailvane/receiver/journal"
)

func TestReason(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("x", journal.MaxReasonBytes)
	for name, c := range map[string]struct{ text, want string }{
		"short":                  {"the sink answers 400", "the sink answers 400"},
		"as long as may be":      {full, full},
		"too long":               {full + "y", full},
		"cut within a character": {full[:1022] + "\u20ac", full[:1022]},
		"cut behind a character": {full[:1021] + "\u20acy", full[:1021] + "\u20ac"},
		"not UTF-8":              {"a\xffb", "a?b"},
		"only half characters":   {strings.Repeat("\x80", 2000), "?"},
		"a terminal's commands":  {"a\x1b[2J\n\u009b1mb\u202ec\x7f", "a [2J  1mb c "},
	} {
		got := journal.Reason(c.text)
		if got != c.want || !utf8.ValidString(got) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if again := journal.Reason(got); again != got {
			t.Errorf("%s: becomes %q the second time", name, again)
		}
	}
}
