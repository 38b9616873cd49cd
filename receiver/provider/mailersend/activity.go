package mailersend

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// activity reads what became of a message, or what its recipient did.
func (i *item) activity(e *event.Event) {
	if strings.HasPrefix(i.data.JSON("email"), "{") {
		i.first(e, i.data.Object("email"))
	} else {
		i.second(e)
	}
	wire.KeepDetails(e, i.data, "template_id")
	e.URL, e.IP, e.UserAgent = i.about.Text("url"), i.about.Text("ip"), i.about.Text("user_agent")
	if strings.HasSuffix(wire.EventName(e.ProviderEvent), unique) {
		wire.SetDetail(e, "first", "true")
	}
	i.outcome(e)
	i.rest(e)
}

// first reads the message in the first version of the bodies, in which it is an object.
func (i *item) first(e *event.Event, email wire.Object) {
	e.Recipient = email.Object("recipient").Address("email")
	e.Sender, e.Subject, e.Tags = email.Address("from"), email.Text("subject"), email.Texts("tags")
	e.ProviderMessageID = email.Object("message").Text("id")
	wire.SetDetail(e, "email_id", email.Text("id"))
	wire.KeepDetails(e, email, "status")
	for _, field := range email.Objects("headers") {
		wire.SetMetadata(e, field.Text("name"), field.Text("value"))
	}
}

// second reads the message in the second version, in which email is the address of the recipient; another page calls it recipient.
func (i *item) second(e *event.Event) {
	e.Recipient = wire.First(i.data.Address("email"), i.data.Address("recipient"))
	e.Subject, e.Tags = i.data.Text("subject"), i.data.Texts("tags")
	e.ProviderMessageID = i.data.Text("message_id")
	wire.KeepDetails(e, i.data, "email_id")
}

// outcome reads why something happened, which MailerSend says in words: its own, or those of a server.
func (i *item) outcome(e *event.Event) {
	reason := i.about.Text("reason")
	switch e.Type {
	case event.Bounced, event.Deferred:
		e.Diagnostic = reason
		e.SMTPCode, e.EnhancedCode = wire.SMTPReply(reason)
		e.EnhancedCode = wire.First(e.EnhancedCode, wire.EnhancedCode(reason))
	default:
		e.Reason = wire.First(i.about.Text("readable_reason"), reason)
		if e.Reason != reason {
			wire.SetDetail(e, "reason", reason)
		}
	}
	switch e.Type {
	case event.Bounced:
		e.Bounce = event.Bounce{Type: event.Soft, Category: refusal.Category(e)}
		if wire.EventName(e.ProviderEvent) == "activity.hard_bounced" {
			e.Bounce.Type = event.Hard
		}
	case event.Rejected:
		e.Reject.Reason = suppression(reason)
	default:
	}
}

// suppression returns why MailerSend did not send a message, which it says in words.
func suppression(reason string) event.RejectReason {
	reason = strings.ToLower(reason)
	for _, known := range []struct {
		word string
		is   event.RejectReason
	}{{"unsubscri", event.UnsubscribedAddress}, {"bounce", event.SuppressedBounce}, {"spam", event.SuppressedComplaint}, {"complain", event.SuppressedComplaint}} {
		if strings.Contains(reason, known.word) {
			return known.is
		}
	}
	return event.OtherReason
}

// rest keeps what is special to an event and has no field of its own, such as the answers of a survey. An empty one is a list.
func (i *item) rest(e *event.Event) {
	for name, text := range i.about.Members() {
		switch name {
		case "object", "id", "created_at", "ip", "url", "user_agent", "reason", "readable_reason":
		default:
			wire.SetDetail(e, name, text)
		}
	}
}
