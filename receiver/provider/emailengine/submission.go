package emailengine

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// smtpEnvelope is the SMTP envelope of a submitted message.
type smtpEnvelope struct {
	From wire.Text  `json:"from"`
	To   wire.Texts `json:"to"`
}

type submission struct {
	MessageID         wire.Text                 `json:"messageId"`
	OriginalMessageID wire.Text                 `json:"originalMessageId"`
	QueueID           wire.Text                 `json:"queueId"`
	Envelope          wire.Object[smtpEnvelope] `json:"envelope"`
	Response          wire.Text                 `json:"response"`
	Error             wire.Text                 `json:"error"`
	ErrorCode         wire.Text                 `json:"errorCode"`
	SMTPResponse      wire.Text                 `json:"smtpResponse"`
	SMTPResponseCode  wire.Text                 `json:"smtpResponseCode"`
	Job               wire.Object[struct {
		AttemptsMade wire.Text `json:"attemptsMade"`
		Attempts     wire.Text `json:"attempts"`
		NextAttempt  wire.Text `json:"nextAttempt"`
	}] `json:"job"`
}

// common sets what all three events of a submission share.
func (s *submission) common(e *event.Event) {
	e.Sender = s.Envelope.Value.From.String()
	setRecipients(e, s.Envelope.Value.To)
	e.MessageID = wire.MessageID(s.MessageID)
	e.ProviderMessageID = s.QueueID.String()
}

// messageSent: the upstream server took the message.
func messageSent(e *event.Event, n *notice) {
	s := dataOf[submission](n)
	e.Type = event.Sent
	s.common(e)
	e.Diagnostic = s.Response.String()
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	if original := wire.MessageID(s.OriginalMessageID); original != e.MessageID {
		wire.SetMetadata(e, "originalMessageId", wire.Text(original))
	}
}

// messageDeliveryError: an attempt failed. After the last one nextAttempt is false and messageFailed follows.
func messageDeliveryError(e *event.Event, n *notice) {
	s := dataOf[submission](n)
	e.Type = event.Deferred
	s.common(e)
	e.Reason = s.Error.String()
	e.Diagnostic = s.SMTPResponse.String()
	code, enhanced := wire.SMTPReply(wire.First(s.SMTPResponse, s.Error))
	e.EnhancedCode = enhanced
	if e.SMTPCode = s.SMTPResponseCode.SMTPCode(); e.SMTPCode == 0 {
		e.SMTPCode = code
	}
	wire.SetMetadata(e, "errorCode", s.ErrorCode)
	wire.SetMetadata(e, "attemptsMade", s.Job.Value.AttemptsMade)
	wire.SetMetadata(e, "attempts", s.Job.Value.Attempts)
	wire.SetMetadata(e, "nextAttempt", s.Job.Value.NextAttempt)
}

// messageFailed: EmailEngine gave up. The event names no recipient; the queue id leads to the earlier errors.
func messageFailed(e *event.Event, n *notice) {
	s := dataOf[submission](n)
	e.Type = event.Failed
	s.common(e)
	e.Reason = s.Error.String()
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Reason)
}

// setRecipients sets the recipients, and the recipient when there is only one.
func setRecipients(e *event.Event, to []string) {
	e.Recipients = to
	if len(to) == 1 {
		e.Recipient = to[0]
	}
}
