package mailchannels

import (
	"errors"
	"slices"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("the member event is missing")

// batch collects what a body holds.
type batch struct {
	provider.Batch
	handles map[string]bool
	request *provider.Request
	fanOut  wire.FanOut
	ids     wire.IDs
	// array are the ids of all items, one after the other; anonymous are the events whose ids rest on them.
	array     []byte
	items     int
	anonymous []int
}

// Decode reads the array of events that a request holds; earlier revisions of the provider's page show a single object, which is
// taken as well.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{handles: w.handles, request: r, fanOut: wire.FanOut{BodyBytes: len(r.Body)}}
	for it, err := range wire.Items(r.Body) {
		if err == nil {
			err = b.add(item{Item: it})
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: it.Sent, Reason: err.Error()})
			b.count(wire.Opaque(it.Sent))
		}
	}
	b.identify()
	return b.Batch
}

// count counts an item of the array.
func (b *batch) count(id string) {
	b.items++
	b.array = append(b.array, id...)
}

// identify makes the ids final. That of an anonymous event rests on the array, too, which is the same each time that it comes; the only
// item of an array has nothing else to rest on than itself.
func (b *batch) identify() {
	if b.items > 1 {
		array := event.HashBytes(b.array)
		for _, i := range b.anonymous {
			b.Events[i].ID = event.HashID(b.Events[i].ID, array)
		}
	}
	for i := range b.Events {
		b.Events[i].ID = b.ids.Unique(b.Events[i].ID)
	}
}

// add turns one item into events. The recipients of a hard bounce are those that refused, so each has an event of
// its own. The recipients of any other event are those of the message: nothing says which of them it is about.
func (b *batch) add(it item) error {
	if !b.handles[it.Text("customer_handle")] {
		// Without a customer handle it is somebody else's for all that is known.
		b.Refused++
		b.count(wire.Opaque(it.Sent))
		return nil
	}
	if it.Text("event") == "" {
		return errNoEvent
	}
	if b.Events == nil {
		b.Events = make([]event.Event, 0, it.PerBody(b.request.Body))
	}
	var e event.Event
	it.fill(&e)
	wire.Seconds(it.Text("timestamp")).SetTime(&e, b.request.ReceivedAt)
	recipients := it.Texts("recipients")
	if err := it.Doubt(); err != nil {
		return err
	}
	refused := e.Bounce.Type == event.Hard && len(recipients) > 0
	if refused {
		return b.each(it, e)
	}
	wire.SetRecipients(&e, it.Addresses("recipients"))
	e.ID = it.id(recipients)
	b.count(e.ID)
	if len(recipients) != 1 {
		b.anonymous = append(b.anonymous, len(b.Events))
	}
	b.Events = append(b.Events, e)
	return nil
}

// each adds an event for each recipient, which is the one that an item with no other recipient would be.
func (b *batch) each(it item, e event.Event) error {
	list := wire.Member{Object: it.Object, Name: "recipients"}
	recipients := it.Parallel(list)
	if err := b.fanOut.Take(&recipients); err != nil {
		return err
	}
	id := it.Identity(list)
	b.Events = slices.Grow(b.Events, recipients.Len())
	for i := range recipients.Len() {
		one, recipient := e, recipients.Text(0, i)
		one.Raw = recipients.Raw(i)
		wire.SetRecipients(&one, wire.Addresses(recipient))
		one.ID = event.HashID(id, recipient)
		b.count(one.ID)
		b.Events = append(b.Events, one)
	}
	return nil
}
