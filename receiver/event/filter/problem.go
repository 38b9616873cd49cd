package filter

import "strings"

// kinds returns how the errors of an evaluation begin, and what is said in their place: what follows is what the expression read.
func kinds() [][2]string {
	return [][2]string{
		{"no such key", "it reads a key that is not there"},
		{"no such attribute", "it reads a field that is not there"},
		{"index out of", "it reads a place that a list or a text does not have"},
		{"invalid RFC 3339 timestamp", "it takes a text for a time that is none"},
		{"unknown time zone", "it names a time zone that does not exist"},
		{"error parsing regexp", "it matches with a regular expression that is none"},
		{"type conversion error", "it converts a value to a type that the value does not fit"},
		{"division by zero", "it divides by zero"},
		{"modulus by zero", "it divides by zero"},
		{"integer overflow", "its numbers are too large"},
		{"no such overload", "it compares values of types that cannot be compared"},
		{"operation cancelled", "it costs more than an expression may"},
		{"evaluation exceeded", "it costs more than an expression may"},
	}
}

// Problem says what kind of error an evaluation ended with, in words that are the same for every event: nothing that the expression
// read is in them.
func Problem(text string) string {
	text = strings.TrimPrefix(text, Evaluates)
	for _, kind := range kinds() {
		if strings.HasPrefix(text, kind[0]) {
			return kind[1]
		}
	}
	return "it cannot be evaluated"
}
