package resend

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoType = errors.New("the member type is missing")

// Decode reads the one object that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	return scheme.One(r, func(item wire.Item) (event.Event, error) {
		e := event.Event{Provider: Type, ProviderEvent: item.Text("type")}
		if e.ProviderEvent == "" {
			return e, errNoType
		}
		wire.DateTime(item.Text("created_at")).SetTime(&e, r.ReceivedAt)
		Read(&e, item.Object, r)
		return e, nil
	})
}

// Read sets the type of an event by the provider's name that it has, and what the data of an item says of it. A name that is not known
// makes it Unknown, of which nothing is read.
func Read(e *event.Event, item wire.Object, r *provider.Request) {
	read, known := wire.Known(readers(), e.ProviderEvent)
	if !known {
		e.Type = event.Unknown
		return
	}
	e.Type = read.as
	d := data{Object: item.Object("data"), request: r}
	read.from(&d, e)
}

// reader is what an event is called, and what reads its data.
type reader struct {
	as   event.Type
	from func(*data, *event.Event)
}

// data is the member of that name.
type data struct {
	wire.Object

	request *provider.Request
}

// readers returns what is known of each event by its name.
func readers() map[string]reader {
	return map[string]reader{
		"email.sent":             {event.Sent, (*data).message},
		"email.scheduled":        {event.Accepted, (*data).message},
		"email.delivered":        {event.Delivered, (*data).message},
		"email.delivery_delayed": {event.Deferred, (*data).message},
		"email.bounced":          {event.Bounced, (*data).bounced},
		"email.suppressed":       {event.Rejected, (*data).suppressed},
		"email.failed":           {event.Failed, (*data).failed},
		"email.complained":       {event.Complained, (*data).message},
		"email.opened":           {event.Opened, (*data).opened},
		"email.clicked":          {event.Clicked, (*data).clicked},
		"email.received":         {event.Received, (*data).received},
		"suppression.added":      {event.SuppressionAdded, (*data).suppression},
		"suppression.removed":    {event.SuppressionRemoved, (*data).suppression},
		// A contact that is updated says whether it is unsubscribed, and not whether that is what changed.
		"contact.created": {event.Unknown, (*data).contact},
		"contact.updated": {event.Unknown, (*data).contact},
		"contact.deleted": {event.Unknown, (*data).contact},
		"domain.created":  {event.Unknown, (*data).domain},
		"domain.updated":  {event.Unknown, (*data).domain},
		"domain.deleted":  {event.Unknown, (*data).domain},
	}
}
