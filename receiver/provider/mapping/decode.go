package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// Origin is what a provider knows of a request beside its body.
type Origin struct {
	// Provider is the provider's type.
	Provider string
	// Message is the id of the message, which is authentic and the same each time that it is sent; "" = there is none.
	Message string
}

// batch collects what a body holds.
type batch struct {
	provider.Batch
	mapping *Mapping
	request *provider.Request
	origin  Origin
	ids     wire.IDs
	fanOut  wire.FanOut
	headers map[string]string
}

// Decode reads a body: JSON, JSON Lines or a form. Each object of JSON, or element of it where it is an array, may hold the events within
// it.
func (m *Mapping) Decode(r *provider.Request, origin Origin) provider.Batch {
	b := batch{mapping: m, request: r, origin: origin, fanOut: wire.FanOut{BodyBytes: len(r.Body)}, headers: m.readHeaders(r.Header)}
	if f, isForm, err := formOf(r); isForm {
		if err == nil {
			err = b.form(&f)
		}
		if err != nil {
			b.undecodable(r.Body, err)
		}
		return b.Batch
	}
	for item, err := range wire.Lines(r.Body) {
		if err == nil {
			err = b.document(&item)
		}
		if err != nil {
			b.undecodable(item.Sent, err)
		}
	}
	return b.Batch
}

func (b *batch) undecodable(raw []byte, err error) {
	b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: raw, Reason: err.Error()})
}

// document reads one object, which is an event or holds events.
func (b *batch) document(item *wire.Item) error {
	path := b.mapping.path
	if len(path) == 0 {
		return b.add(item)
	}
	within := item.Object
	for _, name := range path[:len(path)-1] {
		within = within.Object(name)
	}
	list, count, ok := item.Each(wire.Member{Object: within, Name: path[len(path)-1]})
	if err := item.Doubt(); err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("items: there is no list at body.%s", strings.Join(path, "."))
	}
	if count == 0 {
		return nil
	}
	if err := b.fanOut.Take(&list); err != nil {
		return err
	}
	for n := range count {
		sent := list.Sent(n)
		if err := wire.Single(sent, func(alone wire.Item) error { return b.add(&alone) }); err != nil {
			b.undecodable(sent, err)
		}
	}
	return nil
}

// add adds the event of a document that holds no other.
func (b *batch) add(item *wire.Item) error {
	body, err := parse(item.Sent)
	if err != nil {
		return err
	}
	v := &view{body: body, item: at(body, b.mapping.path), headers: b.headers}
	e := event.Event{Provider: b.origin.Provider, Raw: item.Raw, ProviderEventID: b.origin.Message}
	if err := b.mapping.set(&e, v, b.request); err != nil {
		return err
	}
	id, err := b.identity(&e, v, item)
	if err != nil {
		return err
	}
	e.ID = b.ids.Unique(id)
	b.Events = append(b.Events, e)
	return nil
}

// set sets all of an event but its ids.
func (m *Mapping) set(e *event.Event, v *view, r *provider.Request) error {
	var err error
	if e.ProviderEvent, err = m.kind.text(v); err != nil {
		return err
	}
	var known bool
	if e.Type, known = wire.Known(m.types, e.ProviderEvent); !known {
		e.Type = event.Unknown
	}
	m.setTime(e, v, r)
	for i := range m.fields {
		if err := m.fields[i].apply(e, v); err != nil {
			return err
		}
	}
	complete(e)
	return m.setMetadata(e, v)
}

// setTime takes the time of receipt where the rule yields none: an odd time costs no event.
func (m *Mapping) setTime(e *event.Event, v *view, r *provider.Request) {
	text := ""
	if out, err := m.time.eval(v); out != nil && err == nil {
		text, _ = textOf(out)
	}
	wire.DateTime(text).SetTime(e, r.ReceivedAt)
}

// setMetadata keeps the members of what the rule yields; what is no object has none.
func (m *Mapping) setMetadata(e *event.Event, v *view) error {
	out, err := m.metadata.eval(v)
	if out == nil || err != nil {
		return err
	}
	members, err := membersOf(out)
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		wire.SetMetadata(e, name, members[name])
	}
	return nil
}

// complete adds what follows from the fields that were set, and takes off what only events of another type have: a rule that always yields
// "hard" is about bounces.
func complete(e *event.Event) {
	if e.SMTPCode == 0 && e.EnhancedCode == "" {
		e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	}
	switch {
	case e.Type != event.Bounced:
		e.Bounce = event.Bounce{}
	case e.Bounce.Type == "":
		e.Bounce.Type = refusal.Classify(e).Type
	}
	if e.Type == event.Bounced && e.Bounce.Category == "" {
		e.Bounce.Category = refusal.Classify(e).Category
	}
	switch {
	case e.Type != event.Rejected:
		e.Reject = event.Reject{}
	case e.Reject.Reason == "":
		e.Reject.Reason = event.OtherReason
	}
	if e.Type != event.Complained && e.Type != event.Uncomplained {
		e.Complaint = event.Complaint{}
	}
}

// identity returns the id of the parts that the rules name. Where there are none, or one is not there, it rests on the id of the message
// and on all that is said of the event: parts of which one is missing may be those of any number of events.
func (b *batch) identity(e *event.Event, v *view, item *wire.Item) (string, error) {
	parts := []string{"mapped", e.ProviderEvent}
	for _, x := range b.mapping.id {
		out, err := x.eval(v)
		if err != nil {
			return "", err
		}
		text := ""
		if out != nil {
			text, _ = textOf(out)
		}
		if text == "" {
			parts = nil
			break
		}
		parts = append(parts, text)
	}
	if len(b.mapping.id) > 0 && parts != nil {
		return event.HashID(parts...), nil
	}
	return event.HashID("mapped", b.origin.Message, item.Identity()), nil
}
