// Package mapping turns the JSON of any sender into events, by rules that say in CEL what it means. Rules are checked and compiled once;
// what an evaluation costs is bounded as that of a filter is.
package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
)

// Mapping are rules that are ready to be used. It is safe for concurrent use.
type Mapping struct {
	// path are the names by which the events of a body are found; none = the body.
	path     []string
	kind     *expression
	types    map[string]event.Type
	id       []*expression
	time     *expression
	fields   []field
	metadata *expression
	headers  []string
}

// Compile checks rules and makes them ready. Its errors name the rule and say what to change.
func Compile(rules *Rules) (*Mapping, error) {
	m := &Mapping{types: map[string]event.Type{}}
	c, err := newCompiler()
	if err != nil {
		return nil, err
	}
	if rules.Type == "" {
		return nil, errors.New("type: must be set, for example item.event")
	}
	m.path = c.path(rules.Items)
	m.kind = c.optional("type", rules.Type)
	m.time = c.optional("time", rules.Time)
	m.metadata = c.optional("metadata", rules.Metadata)
	for i, text := range rules.ID {
		m.id = append(m.id, c.expression(fmt.Sprintf("id[%d]", i), text))
	}
	for _, name := range slices.Sorted(maps.Keys(rules.Fields)) {
		m.fields = append(m.fields, c.field(name, rules.Fields[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(rules.Types)) {
		m.types[name] = c.typ(name, rules.Types[name])
	}
	m.headers = slices.Sorted(maps.Keys(c.headers))
	return m, errors.Join(c.problems...)
}

// DecodeHeaders names the headers that the rules read.
func (m *Mapping) DecodeHeaders() []string { return m.headers }

// typ checks the type of an event by the provider's name.
func (c *compiler) typ(name, typ string) event.Type {
	if !slices.Contains(event.Types(), event.Type(typ)) {
		c.problem("types."+name, "must be a type of event, such as email.bounced")
	}
	return event.Type(typ)
}

// path checks where the events of a body are. It is not evaluated: what an event keeps is the body with no other event in it, so that it
// is found there again.
func (c *compiler) path(text string) []string {
	names := strings.Split(text, ".")
	if text == "" || text == "body" {
		return nil
	}
	if names[0] != "body" || slices.Contains(names, "") || strings.ContainsAny(text, " []()\"'?") {
		c.problem("items", "must be body, or a member within it, such as body.events")
	}
	return names[1:]
}
