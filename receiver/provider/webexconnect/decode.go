package webexconnect

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("neither deliveryInfoNotification nor event is there")

// Decode reads the one notification that a request holds: a receipt, or a flat inbound event. Data Streams send both in
// slightly other clothes: to and attachments encoded as strings, and event_identifier beside event.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	e, err := decode(r.Body)
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	e.stamp.SetTime(&e.Event, r.ReceivedAt)
	return provider.Batch{Events: []event.Event{e.Event}}
}

// stamped is an event with its timestamp, which is judged against the time of receipt.
type stamped struct {
	event.Event
	stamp wire.Stamp
}

func decode(body []byte) (stamped, error) {
	item, err := wire.Single(body)
	if err != nil {
		return stamped{}, err
	}
	base := event.Event{Provider: Type, Raw: item.Raw}
	notification := item.Object.Object("deliveryInfoNotification")
	r := receipt{Object: notification, info: notification.Object("deliveryInfo")}
	in := inbound{item.Object}
	switch {
	case r.name() != "":
		return r.convert(base), nil
	case in.Text("event") != "":
		return in.convert(base), nil
	default:
		return stamped{}, errNoEvent
	}
}
