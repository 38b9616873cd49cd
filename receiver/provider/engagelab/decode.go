package engagelab

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("neither status.message_status nor response.event is there")

// callback is what a request holds: a status or a response, and what both have around them.
type callback struct {
	MessageID  wire.Text             `json:"message_id"`
	From       wire.Text             `json:"from"`
	Subject    wire.Text             `json:"subject"`
	To         wire.Text             `json:"to"`
	ITime      wire.Text             `json:"itime"`
	CustomArgs wire.Span             `json:"custom_args"`
	Status     wire.Object[status]   `json:"status"`
	Response   wire.Object[response] `json:"response"`
}

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
}

// Decode reads the callback that a request holds. An array of callbacks is taken as well, though the provider documents none.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	items, err := wire.Items(r.Body)
	b := batch{request: r}
	for _, raw := range items {
		b.add(raw)
	}
	if err != nil {
		b.undecodable(r.Body, err)
	}
	return b.Batch
}

func (b *batch) undecodable(raw []byte, err error) {
	b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: raw, Reason: err.Error()})
}

func (b *batch) add(raw jsontext.Value) {
	var c callback
	if err := wire.DecodeObject(raw, &c); err != nil {
		b.undecodable(raw, err)
		return
	}
	e := event.Event{Provider: Type, Raw: raw}
	wire.Milliseconds(c.ITime).SetTime(&e, b.request.ReceivedAt)
	c.customArgs(&e, raw)
	switch {
	case c.Status.Value.MessageStatus == target:
		b.target(e, &c)
	case c.Status.Value.MessageStatus != "":
		c.status(&e)
		b.append(e, &c, &c.Status.Value.Data.Value)
	case c.Response.Value.Event != "":
		c.response(&e)
		b.append(e, &c, &c.Response.Value.Data.Value)
	default:
		b.undecodable(raw, errNoEvent)
	}
}

// append completes and keeps an event that is about one recipient.
func (b *batch) append(e event.Event, c *callback, d *data) {
	e.ID = b.ids.Unique(c.id(&e, d.EmailID.String()))
	b.Events = append(b.Events, e)
}

// id rests on what identifies an event: an open and a click share message and time, and so do the two kinds of bounce.
func (c *callback) id(e *event.Event, emailID string) string {
	if c.MessageID == "" || e.Type == event.Unknown {
		return wire.Opaque(e.Raw)
	}
	return event.HashID(c.MessageID.String(), emailID, e.ProviderEvent, c.ITime.String(), e.URL, c.Status.Value.subStat().String())
}

// customArgs keeps the sender's own fields, scalars as text and everything else as JSON, each as "custom_args.<name>".
func (c *callback) customArgs(e *event.Event, raw jsontext.Value) {
	value := c.CustomArgs.Of(raw)
	if value.Kind() != jsontext.KindBeginObject {
		return
	}
	wire.Members(value, func(name string, text wire.Text) {
		wire.SetMetadata(e, "custom_args."+name, text)
	})
}
