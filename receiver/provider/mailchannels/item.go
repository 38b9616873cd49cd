package mailchannels

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// item is one event of an array (docs.mailchannels.com/email-api/webhook-schema).
type item struct {
	// Email is the sender, not the recipient.
	Email          wire.Text  `json:"email"`
	CustomerHandle wire.Text  `json:"customer_handle"`
	Timestamp      wire.Text  `json:"timestamp"`
	Event          wire.Text  `json:"event"`
	RequestID      wire.Text  `json:"request_id"`
	SMTPID         wire.Text  `json:"smtp_id"`
	Recipients     wire.Texts `json:"recipients"`
	Status         wire.Text  `json:"status"`
	Reason         wire.Text  `json:"reason"`
	CampaignID     wire.Text  `json:"campaign_id"`
	URL            wire.Text  `json:"url"`
	UserAgent      wire.Text  `json:"user_agent"`
	IP             wire.Text  `json:"ip"`
}

// event fills all but the time, the recipients and the id.
func (it *item) event(raw jsontext.Value) event.Event {
	e := event.Event{
		Provider:          Type,
		ProviderEvent:     it.Event.String(),
		Sender:            it.Email.String(),
		MessageID:         wire.MessageID(it.SMTPID),
		ProviderMessageID: it.RequestID.String(),
		CorrelationID:     it.RequestID.String(),
		Account:           it.CustomerHandle.String(),
		SMTPCode:          it.Status.SMTPCode(),
		Reason:            it.Reason.String(),
		URL:               it.URL.String(),
		IP:                it.IP.String(),
		UserAgent:         it.UserAgent.String(),
		Raw:               raw,
		// Not every event has both ids, but all events of a message have the same first one of them.
		PartitionKey: it.RequestID.String(),
	}
	if e.PartitionKey == "" {
		e.PartitionKey = e.MessageID
	}
	if it.CampaignID != "" {
		e.Tags = []string{it.CampaignID.String()}
	}
	it.classify(&e)
	return e
}

// classify sets the type. "bounced" is the name of hard-bounced in earlier revisions of the provider's page.
func (it *item) classify(e *event.Event) {
	switch it.Event {
	case "processed":
		e.Type = event.Accepted
	case "delivered":
		e.Type = event.Delivered
	case "dropped":
		e.Type = event.Rejected
		e.Reject.Reason = event.OtherReason
	case "hard-bounced", "bounced":
		e.Type = event.Bounced
		e.Bounce.Type = event.Hard
	case "soft-bounced":
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
func (it *item) id(t event.Type, raw []byte) string {
	if t == event.Unknown {
		return wire.Opaque(raw)
	}
	return event.HashID(it.CustomerHandle.String(), it.RequestID.String(), it.SMTPID.String(), it.CampaignID.String(),
		it.Event.String(), it.Timestamp.String(), sorted(it.Recipients), it.URL.String(), it.IP.String(),
		it.UserAgent.String(), it.Status.String(), it.Reason.String())
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
