package providertest

import (
	"maps"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// odd tests what must not cost or change an event: oddities of the body that say nothing of what happened.
func (s Suite) odd(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	want := w.Decode(sample.request)
	const name = `"` + unread + `":`
	for what, member := range map[string]string{
		"a name twice where nobody looks": name + `1,` + name + `2`, "a text that is not UTF-8": name + "\"\xd3\xca\"", "deep nesting": name + strings.Repeat("[", 99) + strings.Repeat("]", 99),
	} {
		r := clone(sample.request)
		inner, replace := s.opened(r.Body)
		r.Body = replace(insert(inner, member))
		got := w.Decode(r)
		if len(got.Events) != len(want.Events) || len(got.Undecodable) != len(want.Undecodable) {
			t.Errorf("%s: %d events and %d undecodable, want %d and %d", what, len(got.Events), len(got.Undecodable), len(want.Events), len(want.Undecodable))
			continue
		}
		for i := range got.Events {
			if !got.Events[i].Raw.IsValid() {
				t.Errorf("%s: raw is no JSON that every reader takes", what)
			}
			if diff := cmp.Diff(s.facts(want.Events[i]), s.facts(got.Events[i])); diff != "" {
				t.Errorf("%s changes the event:\n%s", what, diff)
			}
		}
	}
	marked := clone(sample.request)
	inner, replace := s.opened(marked.Body)
	marked.Body = replace(append([]byte("\ufeff"), inner...))
	if diff := cmp.Diff(want.Events, w.Decode(marked).Events); diff != "" {
		t.Errorf("a byte order mark changes the events:\n%s", diff)
	}
}

// insert adds a member to the outermost objects of a body.
func insert(body []byte, member string) []byte {
	return wire.Edit(body, func(at jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() == jsontext.KindBeginObject && strings.Count(string(at), "/") <= 1 && strings.Trim(string(at), "/0123456789") == "" {
			return member
		}
		return ""
	})
}

// unread is the name of a member that no provider knows.
const unread = "mailvane-nobody-reads-this"

// facts returns what an event says, without the bytes that it was told in and what is made of them.
func (s Suite) facts(e event.Event) event.Event {
	e.ID, e.Raw = "", nil
	if s.KeepsUnknown {
		e.Metadata = maps.Clone(e.Metadata)
		if delete(e.Metadata, unread); len(e.Metadata) == 0 {
			e.Metadata = nil
		}
	}
	return e
}

// apart tests that each scalar of a body tells two facts apart: where it is another, so is an id, unless the item is refused or unreadable.
func (s Suite) apart(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	before := ids(w.Decode(sample.request))
	if len(before) == 0 {
		t.Skip("it is no event")
	}
	if s.IDHeader != "" {
		s.apartByHeader(t, w, sample)
		return
	}
	for n := 0; ; n++ {
		changed := clone(sample.request)
		inner, replace := s.opened(changed.Body)
		body, at := another(inner, n)
		if at == "" {
			return
		}
		changed.Body = replace(body)
		after := w.Decode(changed)
		kept := len(after.Events) == len(before)
		for id := range ids(after) {
			kept = kept && before[id]
		}
		reason, volatile := s.Volatile[sample.name+at]
		volatile = volatile || s.Identifies != nil && !s.Identifies(jsontext.Pointer(at))
		if kept != volatile {
			t.Errorf("with another %s no id is another: %v; declared to be so: %v (%s)", at, kept, volatile, reason)
		}
	}
}

// apartByHeader tests that the provider's own id, and nothing else of the headers, tells two facts apart.
func (s Suite) apartByHeader(t *testing.T, w provider.Webhook, sample sample) {
	t.Helper()
	before := ids(w.Decode(sample.request))
	for name, values := range sample.request.Header {
		changed := clone(sample.request)
		changed.Header.Set(name, values[0]+"x")
		for id := range ids(w.Decode(changed)) {
			if before[id] == (name == s.IDHeader) {
				t.Errorf("another %s: the id is the same: %v", name, before[id])
			}
		}
	}
}

// another returns a body whose n-th scalar is another, and where that is; "" when there are not as many.
func another(body []byte, n int) (changed []byte, place string) {
	count := 0
	changed = wire.Edit(body, func(at jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() == jsontext.KindBeginObject {
			return ""
		}
		if count++; count != n+1 {
			return ""
		}
		place = string(at)
		switch token.Kind() {
		case jsontext.KindString:
			return wire.Quote(token.String() + "x")
		case jsontext.KindNumber:
			return token.String() + "1"
		case jsontext.KindTrue:
			return "false"
		default:
			return "true"
		}
	})
	return changed, place
}

// again tests that what an event keeps of its item, decoded alone, is the event again. An id may rest on the neighbours as well.
func (s Suite) again(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	events := w.Decode(sample.request).Events
	for i := range events {
		alone := clone(sample.request)
		alone.Body = wire.Unwrap(events[i].Raw)
		got := w.Decode(alone).Events
		want := events[i]
		if len(got) == 1 && len(events) > 1 {
			got[0].ID, want.ID = "", ""
		}
		if !contains(got, want) {
			t.Errorf("event %d, decoded again from raw:\n%s", i, cmp.Diff([]event.Event{want}, got))
		}
	}
}

// contains says whether one of the events is a given one: an item may tell of more than one thing.
func contains(events []event.Event, want event.Event) bool {
	for i := range events {
		if cmp.Equal(events[i], want) {
			return true
		}
	}
	return false
}

// spelling tests that the names of events are known in any letter case: no event that was known becomes unknown.
func (s Suite) spelling(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	want := w.Decode(sample.request)
	for _, e := range want.Events {
		quoted := wire.Quote(e.ProviderEvent)
		for _, other := range []string{strings.ToUpper(e.ProviderEvent), strings.ToLower(e.ProviderEvent)} {
			r := clone(sample.request)
			inner, replace := s.opened(r.Body)
			r.Body = replace([]byte(strings.ReplaceAll(string(inner), quoted, wire.Quote(other))))
			sameTypes(t, other, want, w.Decode(r))
		}
	}
}

func sameTypes(t *testing.T, name string, want, got provider.Batch) {
	t.Helper()
	if len(got.Events) != len(want.Events) {
		t.Errorf("%s: %d events, want %d", name, len(got.Events), len(want.Events))
		return
	}
	for i := range got.Events {
		if got.Events[i].Type != want.Events[i].Type {
			t.Errorf("%s is %s, want %s", name, got.Events[i].Type, want.Events[i].Type)
		}
	}
}
