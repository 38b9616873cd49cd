package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a manifest.
type Problem struct {
	// File is the file's path, and Line the line in it, from 1; 0 when the problem has no line.
	File string
	Line int
	// Object is the kind and name, such as "WebhookEndpoint/engagelab"; empty when the document does not say.
	Object string
	// Field is the path of the field; empty when it is the object as a whole.
	Field string
	// Message says what is wrong and what to write instead. It holds no credential.
	Message string
	// Warning says that the object works all the same.
	Warning bool
	// Consequence says that it may go when other problems are mended; they are read first.
	Consequence bool
}

// Faults returns the problems that are not only warnings.
func Faults(problems []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Warning })
}

// String returns "file:line: Kind/name: field: message", without the parts that are empty; before the message of a warning is that word.
// Further lines of the message are indented.
func (p Problem) String() string {
	parts := make([]string, 0, 4)
	if p.Line > 0 {
		parts = append(parts, fmt.Sprintf("%s:%d", p.File, p.Line))
	} else {
		parts = append(parts, p.File)
	}
	for _, part := range []string{p.Object, p.Field} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if p.Warning {
		parts = append(parts, "warning")
	}
	return strings.Join(append(parts, strings.ReplaceAll(p.Message, "\n", "\n    ")), ": ")
}

// SortProblems sorts by file and line, the consequences of other problems behind them. Problems of one line keep their order.
func SortProblems(problems []Problem) {
	rank := func(p Problem) int {
		if p.Consequence {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
