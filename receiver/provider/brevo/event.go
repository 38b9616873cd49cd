package brevo

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// convert reads an event.
func (i *item) convert(e *event.Event) {
	wire.SetRecipients(e, i.Addresses("email"))
	if e.Recipient != "" {
		e.Recipients = nil
	}
	e.MessageID, e.Subject = wire.MessageID(i.Text("message-id")), i.Text("subject")
	e.Tags = i.Texts("tags")
	if e.Tags == nil {
		e.Tags = i.Texts("tag")
	}
	e.URL, e.IP, e.UserAgent = wire.First(i.Text("link"), i.Text("URL")), i.Text("ip"), i.Text("user_agent")
	i.metadata(e)
	i.details(e)
	name := wire.EventName(e.ProviderEvent)
	if e.Type = delivery(name); e.Type == event.Unknown {
		i.engagement(e, name)
		return
	}
	i.outcome(e, name)
}

// delivery returns the type of what became of a message.
func delivery(name string) event.Type {
	switch name {
	case "request", "sent":
		return event.Accepted
	case "delivered":
		return event.Delivered
	case "deferred":
		return event.Deferred
	case "soft_bounce", "hard_bounce":
		return event.Bounced
	case "blocked", "invalid_email", "invalid":
		return event.Rejected
	case "error":
		return event.Failed
	default:
		return event.Unknown
	}
}

// engagement sets the type of what a recipient did.
func (i *item) engagement(e *event.Event, name string) {
	name, isFirst := strings.CutPrefix(name, "unique_")
	switch name {
	case "opened":
		e.Type = event.Opened
	case "proxy_open":
		e.Type = event.Opened
		wire.SetDetail(e, "proxy", "true")
	case "click":
		e.Type = event.Clicked
	case "spam", "complaint":
		e.Type = event.Complained
	case "unsubscribe", "unsubscribed":
		e.Type = event.Unsubscribed
	}
	e.Reason = i.Text("reason")
	if isFirst {
		wire.SetDetail(e, "first", "true")
	}
}

// outcome reads why a message was not delivered, or a server's words.
func (i *item) outcome(e *event.Event, name string) {
	reason := strings.TrimSpace(i.Text("reason"))
	switch e.Type {
	case event.Bounced:
		e.Diagnostic = reason
		e.SMTPCode, e.EnhancedCode = wire.SMTPReply(reason)
		e.Bounce = event.Bounce{Type: event.Soft, Category: refusal.Category(e)}
		if name == "hard_bounce" {
			e.Bounce.Type = event.Hard
		}
	case event.Deferred:
		e.Diagnostic = reason
		e.SMTPCode, e.EnhancedCode = wire.SMTPReply(reason)
	case event.Rejected:
		e.Reason, e.Reject.Reason = reason, event.InvalidAddress
		if name == "blocked" {
			e.Reject.Reason = blockReason(reason)
		}
	default:
		e.Reason = reason
	}
}

// blockReason returns what the words for a block say, such as "blocked : due to unsubscribed user".
func blockReason(text string) event.RejectReason {
	text = strings.ToLower(text)
	has := func(word string) bool { return strings.Contains(text, word) }
	switch {
	case has("unsubscribed"):
		return event.UnsubscribedAddress
	case has("spam"), has("complain"):
		return event.SuppressedComplaint
	case has("bounce"), has("blacklist"):
		return event.SuppressedBounce
	default:
		return event.OtherReason
	}
}

// customHeader is what the sender of a message may attach: a text, of which most make JSON.
const customHeader = "X-Mailin-custom"

// metadata reads what the sender attached: the members of an object under their names, any other text under that of the header.
func (i *item) metadata(e *event.Event) {
	text := i.Text(customHeader)
	err := wire.Single([]byte(text), func(o wire.Item) error {
		for name, value := range o.Members() {
			wire.SetMetadata(e, name, value)
		}
		return nil
	})
	if err != nil {
		wire.SetMetadata(e, customHeader, text)
	}
}

// details keeps what has no field of its own.
func (i *item) details(e *event.Event) {
	wire.KeepDetails(e, i.Object, "id", "template_id", "sending_ip", "contact_id", "is_returnpath", "mirror_link", "device_used", "camp_id", "campaign name", "date_sent", "ts_sent")
	wire.SetDetailList(e, "list_id", i.Texts("list_id"))
}
