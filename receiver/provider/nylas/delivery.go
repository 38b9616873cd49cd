package nylas

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// original sets what is told of the message that a report is about.
func original(e *event.Event, o wire.Object) {
	e.ProviderMessageID = o.Text("id")
	e.Sender, e.Subject = o.Address("from"), o.Text("subject")
	wire.SetRecipients(e, o.Addresses("to"), o.Addresses("cc"), o.Addresses("bcc"))
	e.Recipient = "" // that of the report counts
	for name, text := range o.Object("metadata").Members() {
		wire.SetMetadata(e, name, text)
	}
	wire.KeepDetails(e, o, "sent_at", "original_send_at")
}

// bounceDetected: a report on a message that did not arrive was found in the mailbox of its sender.
func bounceDetected(e *event.Event, n *notice, _ element) {
	origin := n.object.Object("origin")
	original(e, origin)
	e.ProviderMessageID = wire.First(n.object.Text("message_id"), e.ProviderMessageID)
	e.MessageID = wire.MessageID(wire.First(origin.Text("mime_id"), origin.Text("mimeId")))
	if failed := n.object.Addresses("bounced_addresses"); len(failed) == 1 {
		e.Recipient = failed[0]
	} else {
		wire.SetDetailList(e, "bounced_addresses", failed)
	}
	e.Diagnostic = n.object.Text("bounce_reason")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	if code := wire.SMTPCode(n.object.Text("code")); code != 0 {
		e.SMTPCode = code
	}
	e.EnhancedCode = wire.First(wire.EnhancedCode(n.object.Text("code")), e.EnhancedCode)
	wire.KeepDetails(e, n.object, "type", "bounce_date")
	refused(e, n.object.Text("type"), event.Undetermined)
}

// bounced: the server of a recipient refused a message that Nylas sent itself. Nylas calls all of these hard, a full mailbox as well.
func bounced(e *event.Event, n *notice, recipient element) {
	original(e, n.object.Object("message"))
	bounce := n.object.Object("bounce")
	e.Recipient = recipient.Address("email")
	e.Diagnostic = wire.WithoutType(recipient.Text("diagnostic_code"))
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	wire.KeepDetails(e, bounce, "type", "bounced_at")
	refused(e, bounce.Text("type"), event.Hard)
}

// refusals returns what a type of bounce means by its name, without regard to letter case. It outweighs the codes of the reply.
func refusals() map[string]event.Bounce {
	gone := event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}
	full := event.Bounce{Type: event.Soft, Category: event.CategoryMailboxFull}
	content := event.Bounce{Type: event.Soft, Category: event.CategoryContent}
	return map[string]event.Bounce{
		"mailboxfull": full, "mailbox_full": full,
		"noemail": gone, "domain_not_found": gone, "domain_not_exist": gone,
		"messagetoolarge": content, "contentrejected": content, "attachmentrejected": content,
	}
}

// refused sets what a bounce says of the address: by its type, else by the codes, else as it is called.
func refused(e *event.Event, name string, called event.BounceType) {
	e.Type = event.Bounced
	name = wire.EventName(name)
	if name == "suppressed" || name == "onaccountsuppressionlist" {
		e.Type, e.Reject.Reason = event.Rejected, event.SuppressedBounce
		return
	}
	if known, ok := refusals()[name]; ok {
		e.Bounce = known
		return
	}
	e.Bounce = refusal.Classify(e)
	e.Bounce.Category = wire.First(e.Bounce.Category, name, event.CategoryOther)
	if e.Bounce.Type == event.Undetermined {
		e.Bounce.Type = called
	}
	if e.Bounce.Type == event.Undetermined && name == "mailbox_unavailable" {
		e.Bounce.Type = event.Hard
	}
}

// delivered: the server of a recipient took a message that Nylas sent itself.
func delivered(e *event.Event, n *notice, recipient element) {
	e.Type = event.Delivered
	original(e, n.object.Object("message"))
	e.Recipient = wire.Address(recipient.text)
	wire.KeepDetails(e, n.object.Object("delivered"), "delivered_at")
}

// complaint: a recipient reported a message as spam.
func complaint(e *event.Event, n *notice, recipient element) {
	e.Type = event.Complained
	original(e, n.object.Object("message"))
	e.Recipient = wire.Address(recipient.text)
	report := n.object.Object("complaint")
	if e.Complaint.FeedbackType = report.Text("type"); e.Complaint.FeedbackType == "not-spam" {
		e.Type = event.Uncomplained
	}
	wire.KeepDetails(e, report, "reported_at")
}

// rejected: Nylas did not send a message because of a virus in an attachment.
func rejected(e *event.Event, n *notice, _ element) {
	e.Type, e.Reject.Reason = event.Rejected, event.PolicyViolation
	original(e, n.object.Object("message"))
	if len(e.Recipients) == 1 {
		e.Recipient = e.Recipients[0]
	}
	wire.KeepDetails(e, n.object, "rejected_at")
}
