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
	ids     wire.IDs
	fanOut  wire.FanOut
	hash    string // of the body, once it is known
}

// Decode reads the array of events that a request holds; earlier revisions of the provider's page show a single object, which is
// taken as well.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{handles: w.handles, request: r, fanOut: wire.FanOut{BodyBytes: len(r.Body)}}
	for it, err := range wire.Items(r.Body) {
		switch {
		case err != nil:
			b.undecodable(it, err)
		case !b.handles[it.Text("customer_handle")]:
			// Without a customer handle it is somebody else's for all that is known.
			b.Refused++
		case it.Text("event") == "":
			b.undecodable(it, errNoEvent)
		default:
			if err := b.add(item{Item: it, recipients: it.Texts("recipients")}); err != nil {
				b.undecodable(it, err)
			}
		}
	}
	return b.Batch
}

func (b *batch) undecodable(it wire.Item, err error) {
	b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: it.Raw, Reason: err.Error()})
}

// bodyHash tells the arrays of items apart, and is the same each time that an array comes.
func (b *batch) bodyHash() string {
	if b.hash == "" {
		b.hash = wire.Opaque(b.request.Body)
	}
	return b.hash
}

// add turns one item into events. The recipients of a hard bounce are those that refused, so each has an event of
// its own. The recipients of any other event are those of the message: nothing says which of them it is about.
func (b *batch) add(it item) error {
	if b.Events == nil {
		b.Events = make([]event.Event, 0, it.PerBody(b.request.Body))
	}
	var e event.Event
	it.fill(&e)
	wire.Seconds(it.Text("timestamp")).SetTime(&e, b.request.ReceivedAt)
	refused := e.Bounce.Type == event.Hard
	if refused && len(it.recipients) > 1 {
		return b.each(it, e)
	}
	id := it.id(&e)
	if !refused && it.isAnonymous() {
		id = event.HashID(id, b.bodyHash())
	}
	e.Recipients = it.recipients
	if len(it.recipients) == 1 {
		e.Recipient = it.recipients[0]
	}
	e.ID = b.ids.Unique(id)
	b.Events = append(b.Events, e)
	return nil
}

// each adds an event for each recipient, which is the one that an item with no other recipient would be.
func (b *batch) each(it item, e event.Event) error {
	recipients := it.Parallel(wire.Member{Object: it.Object, Name: "recipients"})
	if err := b.fanOut.Take(&recipients); err != nil {
		return err
	}
	b.Events = slices.Grow(b.Events, recipients.Len())
	for i := range recipients.Len() {
		one := e
		one.Raw, one.Recipient = recipients.Raw(i), recipients.Text(0, i)
		it.recipients = []string{one.Recipient}
		one.Recipients = it.recipients
		one.ID = b.ids.Unique(it.id(&one))
		b.Events = append(b.Events, one)
	}
	return nil
}
