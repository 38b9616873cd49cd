package emailengine

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// submission sets what all three events of a submission share.
func submission(e *event.Event, n notice) {
	envelope := n.data.Object("envelope") // of SMTP
	e.Sender = envelope.Address("from")
	wire.SetRecipients(e, envelope.Addresses("to"))
	e.MessageID = wire.MessageID(n.data.Text("messageId"))
	e.ProviderMessageID = n.data.Text("queueId")
	// Its proxy is left out: it may hold credentials.
	routing := n.data.Object("networkRouting")
	for _, name := range []string{"localAddress", "name", "requestedLocalAddress"} {
		wire.SetDetail(e, "networkRouting."+name, routing.Text(name))
	}
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

// messageDeliveryError: an attempt failed. When no other follows, EmailEngine gives up with messageFailed, which names no recipient: so
// the refusal of the recipients, or of the message for them, is told here as the bounce that it is.
func messageDeliveryError(e *event.Event, n notice) {
	submission(e, n)
	e.Reason = n.data.Text("error")
	e.Diagnostic = n.data.Text("smtpResponse")
	code, enhanced := wire.SMTPReply(wire.First(e.Diagnostic, e.Reason))
	e.EnhancedCode = enhanced
	if e.SMTPCode = wire.SMTPCode(n.data.Text("smtpResponseCode")); e.SMTPCode == 0 {
		e.SMTPCode = code
		keepUnlessFalse(e, n.data, "smtpResponseCode")
	}
	wire.KeepDetails(e, n.data, "errorCode", "smtpCommand")
	wire.KeepDetails(e, n.data.Object("job"), "attemptsMade", "attempts", "nextAttempt")
	switch {
	case !isFinal(e, n):
		e.Type = event.Deferred
	case refusedForRecipients(e, n):
		e.Type = event.Bounced
		e.Bounce = refusal.Classify(e)
	default:
		e.Type = event.Failed
	}
}

// isFinal reports whether no attempt follows. A reply of class 5 ends a submission, whatever nextAttempt says, but 503, which EmailEngine
// takes for temporary (workers/submit.js).
func isFinal(e *event.Event, n notice) bool {
	if e.SMTPCode >= 500 && e.SMTPCode != 503 {
		return true
	}
	job := n.data.Object("job")
	next, readable := wire.DateTime(job.Text("nextAttempt")).Time()
	return job.JSON("nextAttempt") != "" && (!readable || next.Unix() == 0) // false, and false as a date
}

// refusedForRecipients reports whether the server refused the recipients, or the message for them: not the login, the sender or the connection.
func refusedForRecipients(e *event.Event, n notice) bool {
	if e.SMTPCode < 400 {
		return false
	}
	switch command := strings.ToUpper(n.data.Text("smtpCommand")); {
	case strings.HasPrefix(command, "RCPT"), strings.HasPrefix(command, "DATA"), strings.HasPrefix(command, "BDAT"):
		return true
	case command != "":
		return false
	}
	switch n.data.Text("errorCode") {
	case "EENVELOPE", "EMESSAGE":
		return true
	default:
		_, subject, _ := strings.Cut(e.EnhancedCode, ".")
		return strings.HasPrefix(subject, "1.") || strings.HasPrefix(subject, "2.") // address or mailbox (RFC 3463 section 3)
	}
}

// messageFailed: EmailEngine gave up. The event names no recipient; the queue id leads to the earlier errors.
func messageFailed(e *event.Event, n notice) {
	e.Type = event.Failed
	submission(e, n)
	e.Reason = n.data.Text("error")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Reason)
}
