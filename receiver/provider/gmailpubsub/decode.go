package gmailpubsub

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNotBase64 = errors.New("message.data is no base64")

// message is one message of Pub/Sub.
type message struct {
	item *wire.Item
	// data is what was published.
	data []byte
	// id, published and subscription are what Pub/Sub says of it; "" where the subscription writes no metadata.
	id, published, subscription string
	// isWrapped says that all of this stands in the body.
	isWrapped bool
}

// Decode reads the one message of a request, in its envelope or without it.
func (*webhook) Decode(r *provider.Request) provider.Batch {
	var b provider.Batch
	err := wire.Single(r.Body, func(item wire.Item) error {
		m, err := open(&item, r)
		if err != nil {
			return err
		}
		e, err := m.event(r)
		if err == nil {
			b.Events = []event.Event{e}
		}
		return err
	})
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	return b
}

// open takes a message out of its envelope. A body that has none is what was published, and the headers are what is left of the envelope.
func open(item *wire.Item, r *provider.Request) (*message, error) {
	if !strings.HasPrefix(item.JSON("message"), "{") {
		return &message{
			item: item, data: r.Body,
			id: r.Header.Get(idHeader), published: r.Header.Get(timeHeader), subscription: r.Header.Get(subscriptionHeader),
		}, nil
	}
	o := item.Object.Object("message")
	data, err := unbase64(o.Text("data"))
	if err != nil {
		return nil, err
	}
	return &message{
		item: item, data: data, isWrapped: true,
		id:           wire.First(o.Text("messageId"), o.Text("message_id")),
		published:    wire.First(o.Text("publishTime"), o.Text("publish_time")),
		subscription: item.Text("subscription"),
	}, nil
}

// unbase64 reads the data of a message: Pub/Sub writes the standard alphabet with padding, and what tools of its emulator write is taken
// as well.
func unbase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, errNotBase64
	}
	return data, nil
}

// event returns what a message tells: that a mailbox has changed, or what this release does not know. A topic takes what anybody with
// the right to it publishes, a sentence of the console's included.
func (m *message) event(r *provider.Request) (event.Event, error) {
	e := event.Event{Type: event.Unknown, Provider: Type, Raw: m.item.Raw, ProviderEventID: m.id}
	wire.DateTime(m.published).SetTime(&e, r.ReceivedAt)
	wire.SetDetail(&e, "subscription", m.subscription)
	if m.isWrapped {
		for name, value := range m.item.Object.Object("message").Object("attributes").Members() {
			wire.SetMetadata(&e, name, value)
		}
	}
	isObject := false
	err := wire.Single(m.data, func(data wire.Item) error {
		isObject = true
		m.notification(&e, data.Object)
		return nil
	})
	if err != nil && isObject {
		return e, err
	}
	if e.Type == event.Unknown {
		e.ID = m.identity()
	}
	return e, nil
}

// notification reads what Gmail publishes: a mailbox and a point of its history, nothing else. The two are its identity: what the body says
// is as authentic as the id that Pub/Sub gives the message beside it, and that is another for each topic.
func (m *message) notification(e *event.Event, data wire.Object) {
	mailbox, history := data.Address("emailAddress"), data.Text("historyId")
	e.Account = mailbox
	wire.SetDetail(e, "historyId", history)
	if mailbox == "" || history == "" {
		return
	}
	e.Type = event.MailboxChanged
	e.ID = event.HashID(strings.ToLower(mailbox), history)
}

// identity returns the id of a message that is no notification of Gmail's: it rests on all that was posted but the number of the attempt.
// Without an envelope two messages may be equal in all but the id that a header holds.
func (m *message) identity() string {
	if m.isWrapped {
		return m.item.Identity(wire.Member{Object: m.item.Object, Name: "deliveryAttempt"})
	}
	return event.HashID(m.item.Identity(), m.id)
}
