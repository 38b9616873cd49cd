package webexconnect

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("neither deliveryInfoNotification nor event is there")

// body is what a notification may hold: a receipt, or a flat inbound event. Data Streams send both in slightly other
// clothes: to and attachments encoded as strings, and event_identifier beside event.
type body struct {
	Receipt wire.Object[receipt] `json:"deliveryInfoNotification"`
	inbound
}

// Decode reads the one notification that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	e, err := decode(wire.Trim(r.Body))
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

func decode(raw jsontext.Value) (stamped, error) {
	var b body
	if err := wire.DecodeObject(raw, &b); err != nil {
		return stamped{}, err
	}
	base := event.Event{Provider: Type, Raw: raw}
	switch {
	case b.Receipt.Present && b.Receipt.Value.named():
		return b.Receipt.Value.convert(base), nil
	case b.Event != "":
		return b.convert(base), nil
	default:
		return stamped{}, errNoEvent
	}
}
