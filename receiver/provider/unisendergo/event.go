package unisendergo

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// item is one event.
type item struct {
	wire.Item
	owner owner
	// data is what the event says, and info what it says of a delivery or a device.
	data, info wire.Object
}

// emailStatus is the name of the events that tell of messages: their status is what happened.
const emailStatus = "transactional_email_status"

func (i *item) event(r *provider.Request) (event.Event, error) {
	e := event.Event{Provider: Type, ProviderEvent: i.Text("event_name"), Account: wire.First(i.owner.project, i.owner.user)}
	if e.ProviderEvent == "" {
		return e, errNoName
	}
	i.info = i.data.Object("delivery_info")
	// It is UTC, without a word that says so.
	wire.DateTime(wire.First(i.data.Text("event_time"), i.data.Text("block_time"))).SetTime(&e, r.ReceivedAt)
	i.common(&e)
	e.Type = event.Unknown
	if wire.EventName(e.ProviderEvent) == emailStatus {
		e.ProviderEvent = wire.First(i.data.Text("status"), e.ProviderEvent)
		i.convert(&e)
	}
	return e, i.Doubt() //nolint:wrapcheck // it says all that there is to say
}

// common sets what all events share.
func (i *item) common(e *event.Event) {
	e.Recipient, e.ProviderMessageID = i.data.Address("email"), i.data.Text("job_id")
	for name, text := range i.data.Entries("metadata") {
		wire.SetMetadata(e, name, text)
	}
	e.URL, e.IP, e.UserAgent = i.data.Text("url"), i.info.Text("ip"), i.info.Text("user_agent")
	e.Reason, e.Diagnostic = i.data.Text("comment"), i.info.Text("destination_response")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	e.EnhancedCode = wire.First(e.EnhancedCode, wire.EnhancedCode(e.Diagnostic))
	if i.owner.project != "" {
		wire.SetDetail(e, "user_id", i.owner.user)
	}
	wire.KeepDetails(e, i.info, "delivery_status")
	wire.KeepDetails(e, i.data, "domain", "block_type", "SMTP_blocks_count", "domain_status")
}

// types returns what is known of each status.
func types() map[string]event.Type {
	return map[string]event.Type{
		"sent": event.Sent, "delivered": event.Delivered, "soft_bounced": event.Bounced, "hard_bounced": event.Bounced,
		"opened": event.Opened, "clicked": event.Clicked, "spam": event.Complained,
		"unsubscribed": event.Unsubscribed, "subscribed": event.Resubscribed,
	}
}

func (i *item) convert(e *event.Event) {
	is, known := wire.Known(types(), e.ProviderEvent)
	if !known {
		return
	}
	e.Type = is
	status := wire.EventName(i.info.Text("delivery_status"))
	switch {
	case is == event.Complained && status == "err_spam_rejected":
		e.Type = event.Bounced // the server did, and no recipient
	case is != event.Bounced:
		return
	case status == "err_will_retry":
		e.Type = event.Deferred
		return
	case status == "err_unsubscribed":
		e.Type, e.Reject.Reason = event.Rejected, event.UnsubscribedAddress
		return
	}
	i.bounce(e, status)
}

// bounce reads that a message was given up. One that was refused for what it is, or for where it came from, says nothing of the address.
func (i *item) bounce(e *event.Event, status string) {
	e.Bounce.Category = wire.First(categories()[status], refusal.Category(e))
	e.Bounce.Type = event.Soft
	if wire.EventName(e.ProviderEvent) != "hard_bounced" {
		return
	}
	switch e.Bounce.Category {
	case event.CategorySpam, event.CategoryReputation, event.CategoryContent, event.CategoryPolicy:
	default:
		e.Bounce.Type = event.Hard
	}
}

// categories returns why a message was given up, by delivery_status. What is not listed says no more than that it was.
func categories() map[string]string {
	return map[string]string{
		"err_user_unknown": event.CategoryUserUnknown, "err_user_inactive": event.CategoryUserUnknown,
		"err_mailbox_full":    event.CategoryMailboxFull,
		"err_spam_rejected":   event.CategorySpam,
		"err_spam_skipped":    event.CategorySpam,
		"err_blacklisted":     event.CategoryReputation,
		"err_too_large":       event.CategoryContent,
		"err_unreachable":     event.CategoryConnection,
		"err_domain_inactive": event.CategoryConnection, "err_destination_misconfigured": event.CategoryConnection,
	}
}
