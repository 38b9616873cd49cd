package mailchannels

import (
	"slices"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// item is one event of an array (docs.mailchannels.com/email-api/webhook-schema).
type item struct {
	wire.Item
	recipients []string
}

// fill sets all but the time, the recipients and the id.
func (it *item) fill(e *event.Event) {
	requestID := it.Text("request_id")
	e.Provider = Type
	e.ProviderEvent = it.Text("event")
	e.Sender = it.Text("email") // not the recipient
	e.MessageID = wire.MessageID(it.Text("smtp_id"))
	e.ProviderMessageID = requestID
	e.CorrelationID = requestID
	e.Account = it.Text("customer_handle")
	e.SMTPCode = wire.SMTPCode(it.Text("status"))
	e.Reason = it.Text("reason")
	e.URL = it.Text("url")
	e.IP = it.Text("ip")
	e.UserAgent = it.Text("user_agent")
	e.Raw = it.Raw
	// Not every event has both ids, but all events of a message have the same first one of them.
	e.PartitionKey = wire.First(requestID, e.MessageID)
	if campaign := it.Text("campaign_id"); campaign != "" {
		e.Tags = []string{campaign}
	}
	classify(e)
}

// classify sets the type. "bounced" is the name of hard-bounced in earlier revisions of the provider's page.
func classify(e *event.Event) {
	switch wire.EventName(e.ProviderEvent) {
	case "processed":
		e.Type = event.Accepted
	case "delivered":
		e.Type = event.Delivered
	case "dropped":
		e.Type = event.Rejected
		e.Reject.Reason = event.OtherReason
	case "hard_bounced", "bounced":
		e.Type = event.Bounced
		e.Bounce.Type = event.Hard
	case "soft_bounced":
		e.Type = event.Bounced
		e.Bounce.Type = event.Soft
	case "open":
		e.Type = event.Opened
	case "click":
		e.Type = event.Clicked
	case "unsubscribed":
		e.Type = event.Unsubscribed
	case "complained":
		e.Type = event.Complained
	case "test":
		e.Type = event.Test
	default:
		e.Type = event.Unknown
	}
}

// id rests on every documented member, because timestamps have a precision of one second and both ids may be blank.
// What an unknown event is identified by is unknown, so its id rests on its bytes.
func (it *item) id(e *event.Event) string {
	if e.Type == event.Unknown {
		return wire.Opaque(it.Raw)
	}
	return event.HashID(e.Account, e.ProviderMessageID, it.Text("smtp_id"), it.Text("campaign_id"), e.ProviderEvent, e.TimeRaw,
		sorted(it.recipients), e.URL, e.IP, e.UserAgent, it.Text("status"), e.Reason)
}

// isAnonymous says that an item may be exactly like that of another copy of the message: it names no message at the recipient's
// server, and no recipient or all of them. Those of one second come in several arrays.
func (it *item) isAnonymous() bool {
	return it.Text("smtp_id") == "" && len(it.recipients) != 1
}

// sorted returns one part for all recipients, the same for every order of them.
func sorted(recipients []string) string {
	switch len(recipients) {
	case 0:
		return ""
	case 1:
		return recipients[0]
	default:
		return event.HashID(slices.Sorted(slices.Values(recipients))...)
	}
}
