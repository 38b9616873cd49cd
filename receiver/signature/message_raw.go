package signature

import (
	"net/http"
	"strings"
)

// rawMember is one member of a dictionary field (RFC 9651 section 3.2) with its value as written.
type rawMember struct {
	label string
	text  string
}

// rawMembers splits a dictionary field into members without changing their text. A label that occurs twice is
// malformed: RFC 9651 would take the last one, and a proxy might take the first.
func rawMembers(h http.Header, name string) ([]rawMember, error) {
	values := h.Values(name)
	if len(values) == 0 {
		return nil, ErrMissing
	}
	var members []rawMember
	seen := map[string]bool{}
	for _, text := range splitMembers(strings.Join(values, ",")) {
		label, value, ok := strings.Cut(text, "=")
		if !ok || label == "" || seen[label] || len(members) == maxSignatures {
			return nil, ErrMalformed
		}
		seen[label] = true
		members = append(members, rawMember{label: label, text: value})
	}
	return members, nil
}

// splitMembers splits at the commas that are not inside a quoted string. Byte sequences and inner lists hold none.
func splitMembers(field string) []string {
	var members []string
	start, quoted := 0, false
	for i := 0; i < len(field); i++ {
		switch c := field[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			members = append(members, strings.Trim(field[start:i], " \t"))
			start = i + 1
		}
	}
	return append(members, strings.Trim(field[start:], " \t"))
}
