package azurecommunicationservices

import (
	"errors"
	"path"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// The types of events of which more is read than the envelope.
const (
	validationEvent = "Microsoft.EventGrid.SubscriptionValidationEvent"
	deliveryEvent   = "Microsoft.Communication.EmailDeliveryReportReceived"
	engagementEvent = "Microsoft.Communication.EmailEngagementTrackingReportReceived"
)

var errNoType = errors.New("neither eventType nor type is there")

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
}

// Decode reads the events of a request, in the schema of Event Grid or in that of CloudEvents: an array, or one.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r}
	items := 0
	for item, err := range wire.Items(r.Body) {
		items++
		if err == nil {
			err = b.add(&item)
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: item.Sent, Reason: err.Error()})
		}
	}
	if items > 1 && b.Reply != nil { // nobody asks and delivers at once
		b.Reply = nil
		b.Refused++
	}
	return b.Batch
}

// envelope is one event, with what its schemas call by other names.
type envelope struct {
	*wire.Item
	data wire.Object
	name string
	// source is the resource that the event is about: its topic.
	source string
}

func (b *batch) add(item *wire.Item) error {
	n := envelope{Item: item, data: item.Object.Object("data")}
	n.name = wire.First(n.Text("eventType"), n.Text("type"))
	n.source = wire.First(n.Text("topic"), n.Text("source"))
	if n.name == "" {
		return errNoType
	}
	if strings.EqualFold(n.name, validationEvent) {
		b.validate(&n)
		return nil
	}
	e := event.Event{Provider: Type, ProviderEvent: n.name, Raw: n.Raw, ProviderEventID: n.Text("id")}
	if n.source != "" {
		e.Account = path.Base(n.source)
	}
	wire.KeepDetails(&e, n.Object, "topic", "source")
	at := wire.First(n.Text("eventTime"), n.Text("time"))
	switch {
	case strings.EqualFold(n.name, deliveryEvent):
		at = wire.First(n.data.Text("deliveryAttemptTimeStamp"), n.data.Text("deliveryAttemptTimestamp"), at)
		n.delivery(&e)
	case strings.EqualFold(n.name, engagementEvent):
		at = wire.First(n.data.Text("userActionTimeStamp"), n.data.Text("userActionTimestamp"), at)
		n.engagement(&e)
	default:
		e.Type = event.Unknown
	}
	wire.DateTime(at).SetTime(&e, b.request.ReceivedAt)
	if err := n.Doubt(); err != nil {
		return err
	}
	e.ID = b.ids.Unique(n.identity())
	b.Events = append(b.Events, e)
	return nil
}

// validate answers an event that asks whether a subscription's events are wanted. It is no event of ours, also where it cannot be answered:
// it holds a URL with a token, of which nothing is to be kept.
func (b *batch) validate(n *envelope) {
	reply, ok := validation(n.data)
	if !ok || n.Doubt() != nil || b.Reply != nil {
		b.Refused++
		return
	}
	b.Reply = reply
}

// identity returns the id of an event: that of its source and type, which an event in both schemas shares (CloudEvents 1.0, "id"). Without
// one it rests on all that the event says.
func (n *envelope) identity() string {
	id := n.Text("id")
	if id == "" {
		return n.Identity()
	}
	return event.HashID(strings.ToLower(n.source), strings.ToLower(n.name), id)
}

// message sets what all events of a message share.
func (n *envelope) message(e *event.Event) {
	e.Recipient = n.data.Address("recipient")
	e.Sender = n.data.Address("sender")
	e.ProviderMessageID = n.data.Text("messageId")
	e.MessageID = wire.MessageID(n.data.Text("internetMessageId"))
}

// engagement reads what a recipient did.
func (n *envelope) engagement(e *event.Event) {
	n.message(e)
	e.UserAgent = n.data.Text("userAgent")
	switch wire.EventName(n.data.Text("engagementType")) {
	case "view":
		e.Type = event.Opened
	case "click":
		e.Type = event.Clicked
		e.URL = n.data.Text("engagementContext")
	default:
		e.Type = event.Unknown
	}
	wire.KeepDetails(e, n.data, "engagementType")
}
