package wire

import "strings"

// EventName returns a provider's name of an event as it is compared: in lower case, with "_" for a blank and a hyphen. Pages and
// platforms differ in these, and a bounce that is unknown passes every filter by that looks for bounces.
func EventName(text string) string {
	if !strings.ContainsFunc(text, isSpelling) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r | 0x20
		case r == ' ' || r == '-':
			return '_'
		default:
			return r
		}
	}, strings.TrimSpace(text))
}

// isSpelling says that a character is one of those in which two spellings of a name differ.
func isSpelling(r rune) bool { return 'A' <= r && r <= 'Z' || r == ' ' || r == '-' }

// Known looks a provider's name of an event up in a table. Where it is not listed as it is written, its letter case does not matter.
func Known[V any](table map[string]V, name string) (value V, ok bool) {
	if value, ok = table[name]; ok {
		return value, true
	}
	name = EventName(name)
	for known, value := range table {
		if EventName(known) == name {
			return value, true
		}
	}
	return value, false
}
