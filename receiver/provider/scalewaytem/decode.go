package scalewaytem

import (
	"errors"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/sns"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var (
	errSentence = errors.New("the message is a text, and no event")
	errNoType   = errors.New("type is missing")
)

// Decode reads the message that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	return w.Endpoint.Decode(r, func(m *sns.Message) ([]event.Event, error) {
		e, err := read(m, r)
		return []event.Event{e}, err
	})
}

func read(m *sns.Message, r *provider.Request) (event.Event, error) {
	if m.Item.Sent == nil {
		return event.Event{}, errSentence
	}
	o := m.Item.Object
	e := event.Event{Provider: Type, ProviderEvent: o.Text("type"), ProviderEventID: o.Text("id"), Raw: m.Raw()}
	if e.ProviderEvent == "" {
		return e, errNoType
	}
	// The id of an event is the same whatever message tells it. It identifies the event together with all that is said of it.
	if e.ID = event.HashID("scaleway", m.Item.Identity()); e.ProviderEventID == "" {
		e.ID = m.EventID(m.Item.Identity())
	}
	wire.DateTime(wire.First(o.Text("created_at"), m.Timestamp)).SetTime(&e, r.ReceivedAt)
	common(&e, o)
	convert(&e)
	return e, nil
}

// common sets what all events may say.
func common(e *event.Event, o wire.Object) {
	e.ProviderMessageID = o.Text("email_id")
	e.PartitionKey = e.ProviderMessageID // a Message-ID is not in all events of a message
	e.Account = o.Text("project_id")
	e.Sender = o.Address("email_from")
	e.Recipient = o.Address("email_to")
	e.Diagnostic = o.Text("email_response_message")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	if code := wire.SMTPCode(o.Text("email_response_code")); code != 0 {
		e.SMTPCode = code
	}
	e.Reason = wire.First(o.Text("email_error"), o.Text("blocklist_reason"))
	for _, h := range o.Objects("email_headers") {
		name, value := h.Text("key"), h.Text("value")
		switch strings.ToLower(name) {
		case "message-id":
			e.MessageID = wire.MessageID(value)
		case "subject":
			e.Subject = value
		default:
			wire.SetMetadata(e, name, value)
		}
	}
	wire.KeepDetails(e, o,
		"organization_id", "domain_id", "domain_name", "email_queued_at", "email_sent_at", "email_try_count", "email_next_try",
		"blocklist_id", "blocklist_type", "email_blocklisted_at")
}

// convert sets what an event is.
func convert(e *event.Event) {
	switch wire.EventName(e.ProviderEvent) {
	case "email_queued":
		e.Type = event.Accepted
	case "email_delivered":
		e.Type = event.Delivered
	case "email_deferred":
		e.Type = event.Deferred
	case "email_dropped":
		e.Type = event.Bounced
		e.Bounce = event.Bounce{Type: event.Hard, Category: refusal.Category(e)}
	case "email_mailbox_not_found":
		e.Type = event.Bounced
		e.Bounce = event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}
	case "email_spam":
		e.Type = event.Bounced
		e.Bounce = event.Bounce{Type: event.Soft, Category: event.CategorySpam} // it tells of the mail, not of the address
	case "email_blocklisted":
		e.Type, e.Reject.Reason = event.Rejected, event.SuppressedBounce
	case "blocklist_created":
		e.Type = event.SuppressionAdded
	default:
		e.Type = event.Unknown
	}
}
