package mailchannels

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("the member event is missing")

// batch collects what a body holds.
type batch struct {
	provider.Batch
	handles    map[string]bool
	receivedAt time.Time
	ids        wire.IDs
}

// Decode reads the array of events that a request holds; earlier revisions of the provider's page show a single object, which is
// taken as well.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	items, err := wire.Items(r.Body)
	b := batch{handles: w.handles, receivedAt: r.ReceivedAt}
	b.Events = make([]event.Event, 0, len(items))
	for _, raw := range items {
		b.add(raw)
	}
	if err != nil {
		b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: r.Body, Reason: err.Error()})
	}
	return b.Batch
}

// add decodes one item. An item without a customer handle is somebody else's for all that is known.
func (b *batch) add(raw jsontext.Value) {
	var it item
	err := wire.DecodeObject(raw, &it)
	switch {
	case err != nil:
		b.undecodable(raw, err)
	case !b.handles[it.CustomerHandle.String()]:
		b.Refused++
	case it.Event == "":
		b.undecodable(raw, errNoEvent)
	default:
		b.convert(raw, &it)
	}
}

func (b *batch) undecodable(raw []byte, err error) {
	b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: raw, Reason: err.Error()})
}

// convert turns one item into events. The recipients of a hard bounce are those that refused, so each has an event of
// its own. The recipients of any other event are those of the message: nothing says which of them it is about.
func (b *batch) convert(raw jsontext.Value, it *item) {
	e := it.event(raw)
	wire.Seconds(it.Timestamp).SetTime(&e, b.receivedAt)
	id := it.id(e.Type, raw)
	refused := e.Bounce.Type == event.Hard
	if refused && len(it.Recipients) > 1 && wire.FansOut(raw, len(it.Recipients)) {
		for _, recipient := range it.Recipients {
			one := e
			one.Recipient = recipient
			one.ID = b.ids.Unique(event.HashID(id, recipient))
			b.Events = append(b.Events, one)
		}
		return
	}
	e.Recipients = it.Recipients
	if len(it.Recipients) == 1 {
		e.Recipient = it.Recipients[0]
	}
	e.ID = b.ids.Unique(id)
	b.Events = append(b.Events, e)
}
