package mailchannels

import (
	"slices"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// item is one event of an array (docs.mailchannels.com/email-api/webhook-schema).
type item struct{ wire.Item }

// fill sets all but the time, the recipients and the id.
func (it *item) fill(e *event.Event) {
	requestID := it.Text("request_id")
	e.Provider = Type
	e.ProviderEvent = it.Text("event")
	e.Sender = it.Address("email") // not the recipient
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

// id rests on all that the item says, but for the order of several recipients. Timestamps have a precision of one second, both ids may be
// blank, and members that are not documented occur.
func (it *item) id(recipients []string) string {
	if len(recipients) <= 1 {
		return it.Identity()
	}
	rest := it.Identity(wire.Member{Object: it.Object, Name: "recipients"})
	return event.HashID(append([]string{rest}, slices.Sorted(slices.Values(recipients))...)...)
}
