package webexconnect

import (
	"errors"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("neither deliveryInfoNotification nor event is there")

// Decode reads the one notification that a request holds: a receipt, or a flat inbound event. Data Streams send both in
// slightly other clothes: to and attachments encoded as strings, and event_identifier beside event.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	events := make([]event.Event, 1)
	err := wire.Single(r.Body, func(item wire.Item) error { return decode(&events[0], item, r.ReceivedAt) })
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	return provider.Batch{Events: events}
}

func decode(e *event.Event, item wire.Item, receivedAt time.Time) error {
	e.Provider, e.Raw = Type, item.Raw
	notification := item.Object.Object("deliveryInfoNotification")
	r := receipt{Object: notification, info: notification.Object("deliveryInfo")}
	in := inbound{item.Object}
	switch {
	case r.name() != "":
		r.convert(e)
		e.ID = r.id(&item)
		wire.DateTime(r.info.Text("timeStamp")).SetTime(e, receivedAt)
	case in.Text("event") != "":
		in.convert(e)
		e.ID = item.Identity()
		wire.DateTime(in.Text("ts")).SetTime(e, receivedAt)
	default:
		return errNoEvent
	}
	return nil
}
