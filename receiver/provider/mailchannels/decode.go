package mailchannels

import (
	"errors"

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
	b := batch{handles: w.handles, request: r}
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
			b.add(item{Item: it, recipients: it.Texts("recipients")})
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
func (b *batch) add(it item) {
	if b.Events == nil {
		b.Events = make([]event.Event, 0, it.PerBody(b.request.Body))
	}
	var e event.Event
	it.fill(&e)
	wire.Seconds(it.Text("timestamp")).SetTime(&e, b.request.ReceivedAt)
	id := it.id(&e)
	refused := e.Bounce.Type == event.Hard
	if !refused && it.isAnonymous() {
		id = event.HashID(id, b.bodyHash())
	}
	if refused && len(it.recipients) > 1 && b.fanOut.Allows(it.Raw, len(it.recipients)) {
		for _, recipient := range it.recipients {
			one := e
			one.Recipient = recipient
			one.ID = b.ids.Unique(event.HashID(id, recipient))
			b.Events = append(b.Events, one)
		}
		return
	}
	e.Recipients = it.recipients
	if len(it.recipients) == 1 {
		e.Recipient = it.recipients[0]
	}
	e.ID = b.ids.Unique(id)
	b.Events = append(b.Events, e)
}
