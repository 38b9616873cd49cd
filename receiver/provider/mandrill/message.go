package mandrill

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// testRecipient is whom the events of the console's test are about.
const testRecipient = "example.webhook@mandrillapp.com"

// message reads what became of a message, what its recipient did, or a message that came in.
func (i *item) message(e *event.Event) {
	i.common(e)
	switch wire.EventName(e.ProviderEvent) {
	case "send":
		e.Type = event.Sent
	case "delivered":
		e.Type = event.Delivered
	case "deferral":
		e.Type = event.Deferred
	case "hard_bounce":
		i.bounce(e, event.Hard)
	case "soft_bounce":
		i.bounce(e, event.Soft)
	case "reject":
		i.reject(e)
	case "inbound":
		i.inbound(e)
	default:
		e.Type = engagement(e.ProviderEvent)
	}
	if strings.EqualFold(e.Recipient, testRecipient) {
		e.Type = event.Test
	}
}

// engagement returns the type of what a recipient did.
func engagement(name string) event.Type {
	switch wire.EventName(name) {
	case "open":
		return event.Opened
	case "click":
		return event.Clicked
	case "spam":
		return event.Complained
	case "unsub":
		return event.Unsubscribed
	default:
		return event.Unknown
	}
}

// common sets what all events of messages share.
func (i *item) common(e *event.Event) {
	e.Recipient, e.Sender = i.msg.Address("email"), i.msg.Address("sender")
	e.Subject = i.msg.Text("subject")
	e.ProviderMessageID = wire.First(i.Text("_id"), i.msg.Text("_id"))
	e.Account = i.msg.Text("subaccount")
	for _, tag := range i.msg.Entries("tags") {
		if tag != "" {
			e.Tags = append(e.Tags, tag)
		}
	}
	for name, text := range i.msg.Entries("metadata") {
		wire.SetMetadata(e, name, text)
	}
	e.Diagnostic = wire.First(i.msg.Text("diag"), i.Text("diag"))
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	e.URL, e.IP, e.UserAgent = i.Text("url"), i.Text("ip"), i.Text("user_agent")
	agent := i.Object.Object("user_agent_parsed")
	e.Client = event.Client{Name: agent.Text("ua_name"), OS: agent.Text("os_name")}
	wire.KeepDetails(e, i.msg, "state", "template", "bgtools_code")
	wire.KeepDetails(e, agent, "type", "ua_family", "ua_version", "ua_company", "os_family", "os_company", "mobile")
	wire.KeepDetails(e, i.Object.Object("location"), "country_short", "country", "region", "city", "postal_code", "timezone", "latitude", "longitude")
}

// bounce reads a refusal. Mandrill has a name of its own for one after which it tries again.
func (i *item) bounce(e *event.Event, t event.BounceType) {
	e.Type = event.Bounced
	e.Reason = i.msg.Text("bounce_description")
	e.Bounce = event.Bounce{Type: t, Category: wire.First(category(e.Reason), refusal.Category(e))}
}

// category names what the description of a bounce says; "" = no more than that there was one.
func category(description string) string {
	switch wire.EventName(description) {
	case "bad_mailbox", "invalid_domain":
		return event.CategoryUserUnknown
	case "mailbox_full":
		return event.CategoryMailboxFull
	case "spam":
		return event.CategorySpam
	case "relaying_denied", "no_answer", "dns_failure":
		return event.CategoryConnection
	default:
		return ""
	}
}

// reject reads that nothing was attempted.
func (i *item) reject(e *event.Event) {
	e.Type = event.Rejected
	reject := i.msg.Object("reject")
	e.Reason = wire.First(reject.Text("reason"), i.msg.Text("reject"))
	e.Reject.Reason = rejectReason(e.Reason)
	wire.KeepDetails(e, reject, "last_event_at")
}

func rejectReason(reason string) event.RejectReason {
	switch wire.EventName(reason) {
	case "hard_bounce", "soft_bounce":
		return event.SuppressedBounce
	case "spam":
		return event.SuppressedComplaint
	case "unsub":
		return event.UnsubscribedAddress
	case "invalid", "invalid_sender":
		return event.InvalidAddress
	case "rule", "custom":
		return event.PolicyViolation
	default:
		return event.OtherReason
	}
}
