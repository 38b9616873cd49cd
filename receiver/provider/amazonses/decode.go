package amazonses

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/sns"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var (
	errNoEvent  = errors.New("none of eventType, notificationType and detail-type is there")
	errSentence = errors.New("the message is a text, and not one that Amazon SES sends")
)

// greeting is what the text begins with that a topic is told once event publishing is set up.
const greeting = "Successfully validated SNS topic"

// notice is a message of Amazon SES.
type notice struct {
	*sns.Message

	// content is what the message says: the message itself, or the detail of an event of EventBridge.
	content wire.Object
	// name is that of the event.
	name string
	kind kind
	// about is the object of the event, such as the bounce.
	about wire.Object
	// reports are the events that a mail which came in tells of.
	reports []event.Event
}

// batch collects what a request holds.
type batch struct {
	request *provider.Request
	ids     wire.IDs
	fanOut  wire.FanOut
}

// Decode reads the message that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r, fanOut: wire.FanOut{BodyBytes: len(r.Body)}}
	return w.Endpoint.Decode(r, b.read)
}

func (b *batch) read(m *sns.Message) ([]event.Event, error) {
	if m.Item.Sent == nil || m.Plain != "" {
		return b.sentence(m)
	}
	n := notice{Message: m, content: m.Item.Object}
	detailType := m.Item.Text("detail-type")
	if detailType != "" {
		n.content = m.Item.Object.Object("detail")
	}
	n.name = wire.First(n.content.Text("eventType"), n.content.Text("notificationType"), detailType)
	if n.name == "" {
		return nil, errNoEvent
	}
	n.kind = kindOf(n.name)
	n.about = n.content.Object(n.kind.object)
	e := event.Event{Provider: Type, ProviderEvent: n.name, ProviderEventID: m.ID}
	n.common(&e)
	n.setTime(&e, b.request)
	return b.events(e, &n)
}

// sentence reads the one text that Amazon SES sends.
func (b *batch) sentence(m *sns.Message) ([]event.Event, error) {
	if !strings.HasPrefix(m.Plain, greeting) {
		return nil, errSentence
	}
	e := event.Event{Provider: Type, Type: event.Test, ProviderEventID: m.ID, Reason: m.Plain, ID: m.EventID(), Raw: m.Raw()}
	wire.DateTime(m.Timestamp).SetTime(&e, b.request.ReceivedAt)
	return []event.Event{e}, nil
}

// setTime sets when the event happened: what its object says, else the message that it is about, else when it was told.
func (n *notice) setTime(e *event.Event, r *provider.Request) {
	mail := n.content.Object("mail")
	text := wire.First(n.about.Text("timestamp"), mail.Text("timestamp"), n.Item.Text("time"), n.Timestamp)
	wire.DateTime(text).SetTime(e, r.ReceivedAt)
}

// events makes one event for each recipient that the object of an event lists, or one where it has no such list.
func (b *batch) events(e event.Event, n *notice) ([]event.Event, error) {
	listed := wire.Member{Object: n.about, Name: n.kind.list, Objects: n.kind.objects}
	if n.kind.list == "" {
		e.ID, e.Raw = b.ids.Unique(n.EventID(n.Item.Identity())), n.Raw()
		n.kind.convert(&e, n, wire.Object{})
		return append([]event.Event{e}, n.reports...), nil
	}
	recipients := n.Item.Parallel(listed)
	if err := errors.Join(n.Item.Doubt(), b.fanOut.Take(&recipients)); err != nil {
		return nil, err
	}
	id := n.Item.Identity(listed)
	events := slices.Grow([]event.Event(nil), recipients.Len())
	for i := range recipients.Len() {
		one := e
		one.Details = maps.Clone(e.Details) // to which is added what is said of this one
		one.Raw = n.RawOf(&recipients, i)
		one.ID = b.ids.Unique(n.EventID(id, recipients.Identity(0, i)))
		about := recipients.Object(0, i)
		if address := wire.First(about.Address("emailAddress"), wire.Address(recipients.Text(0, i))); address != "" {
			one.Recipient = address
		}
		n.kind.convert(&one, n, about)
		events = append(events, one)
	}
	return events, nil
}
