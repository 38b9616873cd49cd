package mandrill

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("neither event nor type is there")

// item is one of the events, and the message that it is about.
type item struct {
	wire.Item
	msg wire.Object
	// received is the mail that came in, where it is one.
	received mime.Message
}

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
	reports mime.ReportBudget
}

// Decode reads the events that a request holds. It also takes them without the form around them, as an event keeps its own.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r}
	events, err := eventsOf(r)
	if err != nil {
		b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: r.Body, Reason: err.Error()})
		return b.Batch
	}
	for i, err := range wire.Items(events) {
		if err == nil {
			err = b.add(&item{Item: i, msg: i.Object.Object("msg")})
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: i.Sent, Reason: err.Error()})
		}
	}
	return b.Batch
}

// eventsOf returns the JSON that holds the events of a request.
func eventsOf(r *provider.Request) ([]byte, error) {
	if isJSON(r.Body) {
		return wire.Unwrap(r.Body), nil
	}
	f, err := form.Parse(r.Header.Get("Content-Type"), r.Body)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says all that there is to say
	}
	return f.Get(eventsField) //nolint:wrapcheck // nor is there more to say of it
}

// isJSON reports whether a body is no form but what one of this provider's holds.
func isJSON(body []byte) bool {
	body = wire.Trim(body)
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

func (b *batch) add(i *item) error {
	e := event.Event{Provider: Type, Raw: i.Raw}
	wire.Seconds(i.Text("ts")).SetTime(&e, b.request.ReceivedAt)
	name, list := i.Text("event"), i.Text("type")
	switch {
	case name != "":
		e.ProviderEvent = name
		i.message(&e)
	case list != "":
		e.ProviderEvent = list
		i.list(&e)
	default:
		return errNoEvent
	}
	if err := i.Doubt(); err != nil {
		return err
	}
	// _id is that of the message: nothing but all of it tells one event from another.
	e.ID = b.ids.Unique(i.Identity())
	reports := i.received.Reports(&e, &b.reports)
	b.Events = append(append(b.Events, e), reports...)
	return nil
}
