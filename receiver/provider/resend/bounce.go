package resend

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// bounced reads a bounce by its type and subtype, which are those of Amazon SES. Older payloads have nothing but the message.
func (d *data) bounced(e *event.Event) {
	d.message(e)
	b := d.Object.Object("bounce")
	e.Reason = b.Text("message")
	wire.SetDetail(e, "bounce.subType", b.Text("subType"))
	if reason, rejected := rejection(b); rejected {
		e.Type, e.Reject.Reason = event.Rejected, reason
		return
	}
	e.Bounce.Type = bounceType(b)
	e.Bounce.Category = category(b.Text("subType"))
}

// rejection returns why a message was never attempted, where that is what is called a bounce.
func rejection(b wire.Object) (event.RejectReason, bool) {
	switch wire.EventName(b.Text("subType")) {
	case "suppressed", "onaccountsuppressionlist", "ontenantsuppressionlist":
		return event.SuppressedBounce, true
	case "unsubscribedrecipient":
		return event.UnsubscribedAddress, true
	case "":
		return event.SuppressedBounce, b.Text("type") == "" && says(b, "suppressed sending")
	default:
		return "", false
	}
}

func bounceType(b wire.Object) event.BounceType {
	switch wire.EventName(b.Text("type")) {
	case "permanent":
		return event.Hard
	case "transient":
		return event.Soft
	case "":
		if says(b, "hard bounce message") {
			return event.Hard
		}
	}
	return event.Undetermined
}

// says reports whether the message of a bounce has words in it.
func says(b wire.Object, words string) bool {
	return strings.Contains(strings.ToLower(b.Text("message")), words)
}

func category(subType string) string {
	switch wire.EventName(subType) {
	case "noemail":
		return event.CategoryUserUnknown
	case "mailboxfull":
		return event.CategoryMailboxFull
	case "messagetoolarge", "contentrejected", "attachmentrejected":
		return event.CategoryContent
	default:
		return ""
	}
}
