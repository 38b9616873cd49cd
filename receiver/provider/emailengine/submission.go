package emailengine

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// submission sets what all three events of a submission share.
func submission(e *event.Event, n notice) {
	envelope := n.data.Object("envelope") // of SMTP
	e.Sender = envelope.Text("from")
	setRecipients(e, envelope.Texts("to"))
	e.MessageID = wire.MessageID(n.data.Text("messageId"))
	e.ProviderMessageID = n.data.Text("queueId")
}

// messageSent: the upstream server took the message.
func messageSent(e *event.Event, n notice) {
	e.Type = event.Sent
	submission(e, n)
	e.Diagnostic = n.data.Text("response")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	if original := wire.MessageID(n.data.Text("originalMessageId")); original != e.MessageID {
		wire.SetDetail(e, "originalMessageId", original)
	}
}

// messageDeliveryError: an attempt failed. After the last one nextAttempt is false and messageFailed follows.
func messageDeliveryError(e *event.Event, n notice) {
	e.Type = event.Deferred
	submission(e, n)
	e.Reason = n.data.Text("error")
	e.Diagnostic = n.data.Text("smtpResponse")
	code, enhanced := wire.SMTPReply(wire.First(e.Diagnostic, e.Reason))
	e.EnhancedCode = enhanced
	if e.SMTPCode = wire.SMTPCode(n.data.Text("smtpResponseCode")); e.SMTPCode == 0 {
		e.SMTPCode = code
	}
	wire.KeepDetails(e, n.data, "errorCode")
	wire.KeepDetails(e, n.data.Object("job"), "attemptsMade", "attempts", "nextAttempt")
}

// messageFailed: EmailEngine gave up. The event names no recipient; the queue id leads to the earlier errors.
func messageFailed(e *event.Event, n notice) {
	e.Type = event.Failed
	submission(e, n)
	e.Reason = n.data.Text("error")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Reason)
}

// setRecipients sets the recipients, and the recipient when there is only one.
func setRecipients(e *event.Event, to []string) {
	e.Recipients = to
	if len(to) == 1 {
		e.Recipient = to[0]
	}
}
