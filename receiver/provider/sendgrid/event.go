package sendgrid

import (
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// convert reads an event.
func (i *item) convert(e *event.Event) {
	e.Recipient = i.Address("email")
	e.MessageID = wire.MessageID(i.Text("smtp-id"))
	sent := strings.TrimSpace(i.Text("sg_message_id"))
	e.ProviderMessageID, e.ProviderEventID = messageID(sent), i.Text("sg_event_id")
	e.PartitionKey = e.ProviderMessageID // opens and clicks have no Message-ID
	e.Tags = i.Texts("category")
	e.UserAgent = i.Text("useragent")
	k := kindOf(e.ProviderEvent)
	e.Type = k.is
	switch e.Type {
	case event.Delivered, event.Deferred, event.Bounced:
		i.reply(e)
	case event.Rejected:
		e.Reason, e.EnhancedCode = i.Text("reason"), wire.EnhancedCode(i.Text("status"))
		e.Reject.Reason = rejectReason(e.Reason)
	case event.Opened, event.Clicked, event.Unsubscribed, event.Resubscribed:
		e.IP = i.Text("ip")
	case event.AccountStatusChanged:
		e.Reason = i.Text("type")
	default:
	}
	if slices.Contains(k.members, "url") {
		e.URL = i.Text("url")
	}
	if isTest(e, sent) {
		e.Type = event.Test
	}
	i.members(e, k)
}

// messageID returns what the answer to the request to send has as X-Message-Id: sg_message_id without what the server that took the
// message adds. Some have nothing before that.
func messageID(text string) string {
	for _, added := range []string{".filter", ".recvd", "."} {
		if id, _, found := strings.Cut(text, added); found && id != "" && !strings.HasPrefix(text, "filter") {
			return id
		}
	}
	return text
}

// The address and the message of which the events are that "Test Your Integration" sends.
const (
	testRecipient = "example@test.com"
	testMessage   = "14c5d75ce93.dfd.64b469."
)

func isTest(e *event.Event, sent string) bool {
	return e.Recipient == testRecipient && strings.HasPrefix(sent, testMessage)
}

// reply reads what a server said, and what SendGrid makes of it.
func (i *item) reply(e *event.Event) {
	e.Diagnostic = strings.TrimSpace(wire.First(i.Text("response"), i.Text("reason")))
	status := i.Text("status")
	code, enhanced := wire.SMTPReply(e.Diagnostic)
	e.SMTPCode = code
	if code == 0 {
		e.SMTPCode = wire.SMTPCode(status)
	}
	e.EnhancedCode = wire.First(wire.EnhancedCode(status), enhanced)
	if e.Type == event.Bounced {
		e.Bounce = event.Bounce{
			Type:     bounceType(i.Text("type"), e),
			Category: wire.First(category(i.Text("bounce_classification")), refusal.Category(e)),
		}
	}
}

// bounceType returns what the type of a bounce means: where there is none, what the server's codes do. A message that was blocked was
// refused for what it is or who sent it.
func bounceType(text string, e *event.Event) event.BounceType {
	switch wire.EventName(text) {
	case "":
		return refusal.Classify(e).Type
	case "bounce":
		return event.Hard
	case "blocked":
		return event.Soft
	default:
		return event.Undetermined
	}
}

// category names what a bounce_classification says; "" = nothing.
func category(text string) string {
	switch wire.EventName(text) {
	case "invalid_address":
		return event.CategoryUserUnknown
	case "technical", "technical_failure":
		return event.CategoryConnection
	case "content":
		return event.CategoryContent
	case "reputation":
		return event.CategoryReputation
	case "frequency_or_volume_too_high", "frequency/volume", "frequency/volume_too_high":
		return event.CategoryPolicy
	case "mailbox_unavailable":
		return event.CategoryMailboxFull
	default:
		return ""
	}
}

func rejectReason(text string) event.RejectReason {
	switch wire.EventName(text) {
	case "bounced_address":
		return event.SuppressedBounce
	case "unsubscribed_address":
		return event.UnsubscribedAddress
	case "spam_reporting_address":
		return event.SuppressedComplaint
	case "invalid", "invalid_address":
		return event.InvalidAddress
	case "spam_content", "recipient_list_over_package_quota":
		return event.PolicyViolation
	default:
		return event.OtherReason
	}
}
