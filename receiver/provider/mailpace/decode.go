package mailpace

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("the member event is missing")

// Decode reads the one event that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	var b provider.Batch
	err := wire.Single(r.Body, func(item wire.Item) error {
		e := event.Event{Provider: Type, ProviderEvent: item.Text("event"), Raw: item.Raw}
		if e.ProviderEvent == "" {
			return errNoEvent
		}
		message := item.Object.Object("payload")
		wire.DateTime(wire.First(message.Text("updated_at"), message.Text("created_at"))).SetTime(&e, r.ReceivedAt)
		read(&e, message)
		// An event has no id, and a message has several in one second.
		e.ID = item.Identity()
		b.Events = append(b.Events, e)
		return nil
	})
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: wire.Trim(r.Body), Reason: err.Error()}}}
	}
	return b
}

// read sets the type of an event, and what the message is. With several recipients nobody says which one it is about.
func read(e *event.Event, message wire.Object) {
	e.Type = event.Unknown
	if is, known := wire.Known(types(), e.ProviderEvent); known {
		e.Type = is
	}
	switch e.Type { //nolint:exhaustive // the others have no more to say
	case event.Bounced:
		e.Bounce = event.Bounce{Type: event.Hard, Category: event.CategoryOther}
	case event.Rejected:
		e.Reject.Reason = event.PolicyViolation
	}
	wire.SetRecipients(e, message.Addresses("to"), message.Addresses("cc"), message.Addresses("bcc"))
	e.Sender, e.Subject = message.Address("from"), message.Text("subject")
	e.MessageID, e.ProviderMessageID = wire.MessageID(message.Text("message_id")), message.Text("id")
	e.Account = message.Text("domain_id")
	wire.KeepDetails(e, message, "status", "created_at", "replyto", "list_unsubscribe")
}

// types returns what is known of each event by its name. Spam is what MailPace's own filter stops.
func types() map[string]event.Type {
	return map[string]event.Type{
		"email.queued": event.Accepted, "email.delivered": event.Delivered, "email.deferred": event.Deferred, "email.bounced": event.Bounced, "email.spam": event.Rejected,
	}
}
