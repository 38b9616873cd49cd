// Package template makes the names that events go by at a destination, such as subjects, topics and keys, of what events say of
// themselves. The language is the same for all sinks: docs/design/010-sink-templates.md.
package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
)

// Template is a text with attributes of events in it. The zero Template is empty.
type Template struct {
	parts []part
}

// part is a literal, or an attribute.
type part struct {
	text      string
	attribute bool
}

// Attributes returns what may stand between braces.
func Attributes() []string { return []string{"type", "provider", "namespace", "endpoint"} }

// TimeAttributes returns what may stand there as well, where a destination files events by time: date is such as 2026-01-02, hour such as 03, both of the
// time of the event, in UTC.
func TimeAttributes() []string { return []string{"date", "hour"} }

// Values are what an event says of itself, as in its envelope.
type Values struct {
	// Source is the CloudEvents source, Type the CloudEvents type, and Provider the extension of that name.
	Source, Type, Provider string
	// Time is that of the event, for the [TimeAttributes].
	Time time.Time
}

// Parse reads a template: letters, digits and marks as they are, and attributes in braces, those that are added among them. Its errors say what is wrong.
func Parse(text, marks string, added ...string) (Template, error) {
	known := slices.Concat(Attributes(), added)
	var t Template
	for rest := text; rest != ""; {
		literal, after, open := strings.Cut(rest, "{")
		if i := strings.IndexFunc(literal, func(r rune) bool { return !isPlain(r) && !strings.ContainsRune(marks, r) }); i >= 0 {
			return Template{}, fmt.Errorf("must not contain %q; beside letters and digits it may have %q and attributes in braces", []rune(literal[i:])[0], marks)
		}
		if literal != "" {
			t.parts = append(t.parts, part{text: literal})
		}
		if !open {
			break
		}
		name, behind, closed := strings.Cut(after, "}")
		if !closed || !slices.Contains(known, name) {
			return Template{}, fmt.Errorf("must have one of {%s} where a brace opens", strings.Join(known, "}, {"))
		}
		t.parts = append(t.parts, part{text: name, attribute: true})
		rest = behind
	}
	if len(t.parts) == 0 {
		return Template{}, errors.New("must not be empty")
	}
	return t, nil
}

// Expand returns what the template is for an event.
func (t Template) Expand(v Values) string {
	if len(t.parts) == 1 && !t.parts[0].attribute {
		return t.parts[0].text
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.attribute {
			b.WriteString(v.of(p.text))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// Constant returns what stands before the first attribute, and whether that is all.
func (t Template) Constant() (text string, whole bool) {
	if len(t.parts) > 0 && !t.parts[0].attribute {
		text = t.parts[0].text
	}
	return text, len(t.parts) == 1 && text != ""
}

func (v Values) of(attribute string) string {
	namespace, endpoint, _ := strings.Cut(event.EndpointOf(v.Source), "/")
	switch attribute {
	case "type":
		return clean(string(event.TypeOf(v.Type)), true)
	case "provider":
		return clean(v.Provider, false)
	case "namespace":
		return clean(namespace, false)
	case "date":
		return v.Time.UTC().Format(time.DateOnly)
	case "hour":
		return v.Time.UTC().Format("15")
	default:
		return clean(endpoint, false)
	}
}

// clean replaces what not every destination takes in a name. The parts of a type stay apart, unless one is empty: many destinations take
// no empty part.
func clean(value string, dotted bool) string {
	dotted = dotted && !strings.HasPrefix(value, ".") && !strings.HasSuffix(value, ".") && !strings.Contains(value, "..")
	if value == "" {
		return "_"
	}
	return strings.Map(func(r rune) rune {
		if isPlain(r) || r == '-' || r == '_' || r == '.' && dotted {
			return r
		}
		return '_'
	}, value)
}

func isPlain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
