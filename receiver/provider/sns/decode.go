package sns

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var (
	errType      = errors.New("the member Type is none that SNS documents")
	errBare      = errors.New("it has no envelope of SNS, and the settings do not allow for that")
	errTopic     = errors.New("its topic is not listed")
	errMessageID = errors.New("the member MessageId is missing")
)

// Read turns a message into events, or says why it cannot. Its Item is good until Read returns.
type Read func(m *Message) ([]event.Event, error)

// Decode reads what a request holds, which is one message or one of the confirmations.
func (e *Endpoint) Decode(r *provider.Request, read Read) provider.Batch {
	d := decoder{Endpoint: e, request: r, read: read}
	if err := d.body(r.Body); err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	return d.batch
}

type decoder struct {
	*Endpoint

	request *provider.Request
	read    Read
	batch   provider.Batch
}

func (d *decoder) body(body []byte) error {
	if text := wire.Trim(body); d.RawDelivery && len(text) > 0 && text[0] != '{' {
		return d.message(&Message{Plain: string(text), ID: headerID(d.request.Header)})
	}
	return wire.Single(body, func(item wire.Item) error {
		if item.JSON(typeMember) == "" {
			return d.bare(item)
		}
		return d.envelope(item)
	})
}

// bare reads a message that came without an envelope.
func (d *decoder) bare(item wire.Item) error {
	if !d.RawDelivery {
		return errBare
	}
	m := &Message{Item: item, ID: headerID(d.request.Header)}
	if item.Text("mediaType") == plainText {
		m.Plain = item.Text("text")
	}
	return d.message(m)
}

func (d *decoder) envelope(item wire.Item) error {
	m := &Message{ID: item.Text(messageIDMember), Topic: item.Text(topicMember), Timestamp: item.Text(timestampMember), envelope: &item}
	if m.ID == "" {
		return errMessageID
	}
	switch item.Text(typeMember) {
	case notification:
		return d.notification(m, item.Text(messageMember))
	case subscriptionConfirmation:
		return d.confirm(item)
	case unsubscribeConfirmation:
		return d.unsubscribed(m)
	default:
		return errType
	}
}

// notification reads a message in its envelope: JSON, or a sentence.
func (d *decoder) notification(m *Message, text string) error {
	body := []byte(text)
	if trimmed := wire.Trim(body); len(trimmed) == 0 || trimmed[0] != '{' {
		m.Plain = string(trimmed)
		return d.message(m)
	}
	return wire.Single(body, func(item wire.Item) error {
		m.Item = item
		return d.message(m)
	})
}

func (d *decoder) message(m *Message) (err error) {
	d.batch.Events, err = d.read(m)
	return err
}

// unsubscribed tells that a topic posts nothing any more: the state of the account's subscription at the provider. Its SubscribeURL
// would subscribe again, and is not visited.
func (d *decoder) unsubscribed(m *Message) error {
	t, listed := d.Topics[m.Topic]
	if !listed {
		return errTopic
	}
	e := event.Event{
		Type: event.AccountStatusChanged, Provider: d.Provider, ProviderEvent: unsubscribeConfirmation, ProviderEventID: m.ID,
		Account: t.Account, Reason: string(wire.Trim([]byte(m.envelope.Text(messageMember)))), Raw: m.Raw(), ID: m.EventID(),
	}
	wire.DateTime(m.Timestamp).SetTime(&e, d.request.ReceivedAt)
	wire.SetDetail(&e, topicMember, m.Topic)
	d.batch.Events = []event.Event{e}
	return nil
}
