package engagelab

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("neither status.message_status nor response.event is there")

// callback is what a request holds: a status or a response, the data of it, and what both have around them.
type callback struct {
	wire.Item
	status, response, data wire.Object
}

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
	fanOut  wire.FanOut
}

// Decode reads the callback that a request holds. An array of callbacks is taken as well, though the provider documents none.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r, fanOut: wire.FanOut{BodyBytes: len(r.Body)}}
	for item, err := range wire.Items(r.Body) {
		if err == nil {
			err = b.add(callback{Item: item, status: item.Object.Object("status"), response: item.Object.Object("response")})
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: item.Sent, Reason: err.Error()})
		}
	}
	return b.Batch
}

func (b *batch) add(c callback) error {
	e := event.Event{Provider: Type, Raw: c.Raw}
	wire.DateTime(c.Text("itime")).SetTime(&e, b.request.ReceivedAt)
	c.customArgs(&e)
	status, response := c.status.Text("message_status"), c.response.Text("event")
	switch {
	case status != "":
		e.ProviderEvent = status
		c.data = c.status.Object("status_data")
	case response != "":
		e.ProviderEvent = response
		c.data = c.response.Object("response_data")
	default:
		return errNoEvent
	}
	c.common(&e)
	switch {
	case wire.EventName(status) == target:
		return b.target(e, &c)
	case status != "":
		c.convertStatus(&e)
	default:
		c.convertResponse(&e)
	}
	if err := c.Doubt(); err != nil {
		return err
	}
	// Nothing identifies an event: an open and a click share message and time, and so do the two kinds of bounce.
	e.ID = b.ids.Unique(c.Identity())
	b.Events = append(b.Events, e)
	return nil
}

// customArgs keeps the sender's own fields, scalars as text and everything else as JSON.
func (c *callback) customArgs(e *event.Event) {
	for name, text := range c.Object.Object("custom_args").Members() {
		wire.SetMetadata(e, name, text)
	}
}
