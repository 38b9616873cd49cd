// Package refusal classifies a refusal where a provider passes on what the server said, and no more.
package refusal

import (
	"cmp"
	"strings"
	"sync"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// maxText bounds what is looked at of a server's words, in bytes. RFC 5321 section 4.5.3.1.5 allows 512 for a line.
const maxText = 2 << 10

// Classify returns what the answer of a server in e says: its words (Diagnostic, or else Reason) where they are known, because servers use one
// code for many things, and else the enhanced status code and the reply code. The type is undetermined and the category "" where nothing says
// more.
func Classify(e *event.Event) event.Bounce {
	b := event.Bounce{Type: wire.BounceType(e.EnhancedCode, e.SMTPCode), Category: wire.BounceCategory(e.EnhancedCode)}
	known, ok := find(plain(cmp.Or(e.Diagnostic, e.Reason)))
	if !ok {
		return b
	}
	b.Category = known.Category
	switch {
	case known.Type != "":
		b.Type = known.Type
	case b.Type == event.Undetermined:
		b.Type = event.Soft
	}
	return b
}

// Category is that of [Classify], or [event.CategoryOther].
func Category(e *event.Event) string { return cmp.Or(Classify(e).Category, event.CategoryOther) }

// table is made when the first refusal comes.
var table = sync.OnceValue(Table) //nolint:gochecknoglobals // made once, and not changed

func find(text string) (Words, bool) {
	if text == "" {
		return Words{}, false
	}
	for _, w := range table() {
		if strings.Contains(text, w.Text) {
			return w, true
		}
	}
	return Words{}, false
}

// plain returns the words of a reply in small letters. Each line of a reply begins with its codes again, often within a sentence, so codes are
// left out; so are addresses, in which anybody may write anything.
func plain(text string) string {
	fields := strings.Fields(strings.ToLower(text[:min(len(text), maxText)]))
	words := fields[:0]
	for _, field := range fields {
		if !isCode(field) && !strings.Contains(field, "@") {
			words = append(words, strings.ReplaceAll(field, "’", "'"))
		}
	}
	return strings.Join(words, " ")
}

// isCode reports whether a field is nothing but codes, such as 550, 550-5.1.1 or 5.1.1.
func isCode(field string) bool {
	return strings.Trim(field, "0123456789.-") == ""
}
