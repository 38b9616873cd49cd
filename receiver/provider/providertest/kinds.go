package providertest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// body is the JSON of a request, with what puts other JSON in its place.
type body struct {
	text    []byte
	replace func([]byte) []byte
	what    string
}

// bodies returns the JSON that a request has: that of its events, and what they are wrapped in.
func (s Suite) bodies(r *provider.Request) []body {
	inner, replace := s.opened(r.Body)
	all := []body{{inner, replace, ""}}
	if s.Open != nil && jsontext.Value(r.Body).IsValid() {
		all = append(all, body{r.Body, func(text []byte) []byte { return text }, "(outer)"})
	}
	return all
}

// kinds tests values of other kinds than the documented ones, each member and element in turn: null, a number or a truth as a text, a text
// as a number. Nothing is lost, no neighbour changes, and no event becomes one that did not happen.
func (s Suite) kinds(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	before := w.Decode(sample.request)
	for _, b := range s.bodies(sample.request) {
		for _, v := range valuesOf(b.text) {
			for _, other := range others(v, b.text) {
				r := clone(sample.request)
				r.Body = b.replace(v.replace(b.text, other.json))
				c := change{suite: s, name: sample.name + b.what + string(v.at), value: v, text: b.text, other: other}
				after := w.Decode(r)
				c.check(t, before, after)
				s.checkBatch(t, w, r, after)
			}
		}
	}
}

// other is what stands in the place of a value.
type other struct {
	json string
	// same says that it tells the same.
	same bool
}

func others(v value, body []byte) []other {
	text := v.in(body)
	var all []other
	if v.kind != jsontext.KindNull {
		all = append(all, other{"null", false})
	}
	switch v.kind {
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		all = append(all, other{`"` + text + `"`, true})
	case jsontext.KindString:
		digits := jsontext.Value(strings.Trim(text, `"`))
		if digits.Kind() == jsontext.KindNumber && digits.IsValid() {
			return append(all, other{string(digits), true})
		}
		all = append(all, other{"7", false})
	default:
	}
	return all
}

// change is a value that was replaced by another.
type change struct {
	suite Suite
	name  string
	value value
	text  []byte
	other other
}

func (c *change) check(t *testing.T, before, after provider.Batch) {
	t.Helper()
	if c.other.same {
		if len(after.Events) != len(before.Events) || len(after.Undecodable) != len(before.Undecodable) {
			t.Errorf("%s as %s: %d events, %d undecodable; want %d and %d", c.name, c.other.json, len(after.Events), len(after.Undecodable), len(before.Events), len(before.Undecodable))
			return
		}
		for i := range before.Events {
			if diff := cmp.Diff(c.suite.facts(before.Events[i]), c.suite.facts(after.Events[i]), nestedAside()); diff != "" {
				t.Errorf("%s as %s changes an event:\n%s", c.name, c.other.json, diff)
			}
		}
		return
	}
	c.checkCount(t, before, after)
	c.checkTypes(t, before, after)
	c.checkNeighbours(t, before, after)
}

// nestedAside leaves out what is kept as JSON, in which a number and a text are two.
func nestedAside() cmp.Option {
	return cmpopts.IgnoreMapEntries(func(_, value string) bool { return value != "" && strings.IndexByte("{[", value[0]) >= 0 })
}

// checkCount tests that nothing vanishes, unless it is told of as a whole, or what was in the value is gone.
func (c *change) checkCount(t *testing.T, before, after provider.Batch) {
	t.Helper()
	want := 1
	if !c.value.element && !c.value.isContainer() && !whole(&after) {
		want = accounted(before)
	}
	if got := accounted(after); got < want && !c.decides() {
		t.Errorf("%s as %s: %d things are told of, want %d", c.name, c.other.json, got, want)
	}
}

// whole reports whether an item is told of by one event or dead letter, of whomever it is about.
func whole(b *provider.Batch) bool {
	return len(b.Undecodable)+b.Refused > 0 || slices.ContainsFunc(b.Events, func(e event.Event) bool { return e.Type == event.Unknown })
}

// accounted counts what a request became.
func accounted(b provider.Batch) int {
	n := len(b.Events) + len(b.Undecodable) + b.Refused + len(b.Confirm)
	if b.Reply != nil {
		n++
	}
	return n
}

// checkTypes tests that no event becomes one that did not happen.
func (c *change) checkTypes(t *testing.T, before, after provider.Batch) {
	t.Helper()
	for i := range after.Events {
		e := &after.Events[i]
		same := func(was event.Event) bool { return was.Type == e.Type }
		if e.Type == event.Unknown || slices.ContainsFunc(before.Events, same) {
			continue
		}
		if !c.decides() {
			t.Errorf("%s as %s: the event is %s", c.name, c.other.json, e.Type)
		}
	}
}

// decides reports whether the value is, has or is in a member that is declared to decide what an event is.
func (c *change) decides() bool {
	for name := range c.suite.Retyped {
		in := slices.Contains(strings.Split(string(c.value.at), "/"), strings.ReplaceAll(name, "/", "~1"))
		if in || c.value.isContainer() && strings.Contains(c.value.in(c.text), `"`+name+`"`) {
			c.suite.retyped.Store(name, true)
			return true
		}
	}
	return false
}

// checkNeighbours tests that each event of another item is as it was.
func (c *change) checkNeighbours(t *testing.T, before, after provider.Batch) {
	t.Helper()
	for i := range before.Events {
		e := before.Events[i]
		if !c.value.apart(c.text, e.Raw) {
			continue
		}
		same := func(other event.Event) bool {
			return string(other.Raw) == string(e.Raw) && cmp.Equal(c.suite.facts(e), c.suite.facts(other))
		}
		if !slices.ContainsFunc(after.Events, same) {
			t.Errorf("%s as %s costs another item's event, %s", c.name, c.other.json, e.Type)
		}
	}
}

// broken tests that an item that is none does not take its neighbours with it, and leaves a dead letter.
func (s Suite) broken(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	decode := func(replace func([]byte) []byte, text []byte) provider.Batch {
		r := clone(sample.request)
		r.Body = replace(text)
		b := w.Decode(r)
		s.checkBatch(t, w, r, b)
		return b
	}
	inner, replace := s.opened(sample.request.Body)
	before := w.Decode(sample.request)
	for _, v := range valuesOf(inner) {
		if !v.element || v.kind != jsontext.KindBeginObject {
			continue
		}
		without := decode(replace, v.remove(inner))
		if accounted(without) >= accounted(before) {
			continue // it is part of an item
		}
		for _, other := range []string{"7", `"text"`, "[]", "null", "[{}]"} {
			with := decode(replace, v.replace(inner, other))
			what := sample.name + string(v.at) + " as " + other
			s.survive(t, what, without, with)
			isNone := other == "null" && strings.Count(string(v.at), "/") > 1 // of a list within an item
			if accounted(with) <= accounted(without) && !whole(&with) && !isNone {
				t.Errorf("%s leaves nothing", what)
			}
		}
	}
	list := append(append([]byte("["), inner...), ']')
	if got, _ := s.opened(replace(list)); !bytes.Equal(got, list) || len(before.Events) == 0 || !cmp.Equal(before.Events, decode(replace, list).Events) {
		return // it takes no lists
	}
	for _, other := range []string{"7", `"text"`, "[]", "null"} {
		for what, text := range map[string]string{"before": "[" + other + "," + string(inner) + "]", "behind": "[" + string(inner) + "," + other + "]"} {
			with := decode(replace, []byte(text))
			s.survive(t, other+" "+what+" it", before, with)
			if accounted(with) <= accounted(before) {
				t.Errorf("%s %s it leaves nothing", other, what)
			}
		}
	}
}

// survive tests that the events of one batch are in another as well.
func (s Suite) survive(t *testing.T, what string, want, got provider.Batch) {
	t.Helper()
	for i := range want.Events {
		same := func(e event.Event) bool { return cmp.Equal(s.facts(want.Events[i]), s.facts(e)) }
		if !slices.ContainsFunc(got.Events, same) {
			t.Errorf("%s: the event %s is lost", what, want.Events[i].Type)
		}
	}
}

// newName is that of an event which no provider has yet.
const newName = "mailvane.no_such_event"

// unheard tests that events with a name that does not exist yet become unknown, keep what was sent, and are not lost.
func (s Suite) unheard(t *testing.T, samples []sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	tried := 0
	for _, sample := range samples {
		before := w.Decode(sample.request)
		for i := range before.Events {
			name := before.Events[i].ProviderEvent
			r := clone(sample.request)
			inner, replace := s.opened(r.Body)
			changed := strings.ReplaceAll(string(inner), wire.Quote(name), wire.Quote(newName))
			if name == "" || changed == string(inner) {
				continue
			}
			tried++
			r.Body = replace([]byte(changed))
			after := w.Decode(r)
			s.checkBatch(t, w, r, after)
			if accounted(after) < accounted(before) && !whole(&after) {
				t.Errorf("%s: %d things are told of, want %d", sample.name, accounted(after), accounted(before))
			}
			_, known := s.Renamed[strings.TrimSuffix(sample.name, ".http")]
			if known == slices.ContainsFunc(after.Events, func(e event.Event) bool { return isUnheard(&e, before.Events[i].Type) }) {
				t.Errorf("%s: %s is not unknown under another name, of which there are %d events and %d dead letters", sample.name, name, len(after.Events), len(after.Undecodable))
			}
		}
	}
	if (tried == 0) != s.Nameless {
		t.Errorf("%d samples have the name of their event; it is declared that none has: %t", tried, s.Nameless)
	}
}

// isUnheard reports whether an event is what one of a new name must be: what tells a test may be something else than its name.
func isUnheard(e *event.Event, was event.Type) bool {
	return e.ProviderEvent == newName && (e.Type == event.Unknown || e.Type == event.Test && was == event.Test)
}
