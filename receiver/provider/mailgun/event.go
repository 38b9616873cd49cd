package mailgun

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// notice is the event-data of a request.
type notice struct{ wire.Object }

// convert reads an event.
func (n notice) convert(e *event.Event) {
	n.common(e)
	n.details(e)
	e.Type = typeOf(e.ProviderEvent)
	switch {
	case wire.EventName(e.ProviderEvent) == "failed" && n.isTemporary():
		e.Type = event.Deferred
	case e.Type == event.Bounced:
		failure{
			reason: e.Reason, bounceType: n.Object.Object("delivery-status").Text("bounce-type"), code: n.Object.Object("delivery-status").Text("code"),
		}.set(e)
	case e.Type == event.Rejected:
		n.rejected(e)
	case e.Type == event.Received:
		n.stored(e)
	}
	if n.Object.Object("flags").Text("is-system-test") == "true" {
		e.Type = event.Test
	}
}

// typeOf returns what the name of an event means. A failure may be one that is tried again.
func typeOf(name string) event.Type {
	switch name = wire.EventName(name); name {
	case "accepted":
		return event.Accepted
	case "delivered":
		return event.Delivered
	case "failed", "bounced", "dropped":
		return event.Bounced
	case "rejected":
		return event.Rejected
	case "stored":
		return event.Received
	default:
		return engagement(name)
	}
}

// engagement returns the type of what a recipient did.
func engagement(name string) event.Type {
	switch name {
	case "opened":
		return event.Opened
	case "clicked":
		return event.Clicked
	case "unsubscribed":
		return event.Unsubscribed
	case "complained":
		return event.Complained
	default:
		return event.Unknown
	}
}

// isTemporary reports whether Mailgun will try again. Where it does not say so, it says when.
func (n notice) isTemporary() bool {
	severity := wire.EventName(n.Text("severity"))
	return severity == "temporary" || severity == "" && n.Object.Object("delivery-status").Text("retry-seconds") != ""
}

// common sets what all events share.
func (n notice) common(e *event.Event) {
	message, storage := n.Object.Object("message"), n.Object.Object("storage")
	headers := message.Object("headers")
	e.Recipient = n.Address("recipient")
	e.Sender = wire.First(n.Object.Object("envelope").Address("sender"), headers.Address("from"))
	e.Subject, e.MessageID = headers.Text("subject"), wire.MessageID(headers.Text("message-id"))
	e.ProviderMessageID, e.ProviderEventID = wire.First(storage.Texts("key")...), n.Text("id")
	e.Account = n.Object.Object("account").Text("id")
	e.Tags = n.Texts("tags")
	for name, text := range n.Entries("user-variables") {
		wire.SetMetadata(e, name, text)
	}
	client, status := n.Object.Object("client-info"), n.Object.Object("delivery-status")
	e.URL, e.IP, e.UserAgent = n.Text("url"), n.Text("ip"), client.Text("user-agent")
	e.Client = event.Client{Name: client.Text("client-name"), OS: client.Text("client-os")}
	e.Diagnostic = strings.TrimSpace(status.Text("message"))
	code, enhanced := wire.SMTPReply(e.Diagnostic)
	if e.SMTPCode = wire.SMTPCode(status.Text("code")); e.SMTPCode == 0 {
		e.SMTPCode = code
	}
	e.EnhancedCode = wire.First(wire.EnhancedCode(status.Text("enhanced-code")), enhanced)
	e.Reason = wire.First(n.Text("reason"), status.Text("description"))
}

// details keeps what has no field of its own.
func (n notice) details(e *event.Event) {
	wire.KeepDetails(e, n.Object, "severity", "log-level", "recipient-domain", "recipient-provider", "method", "originating-ip", "api-key-id", "primary-dkim")
	wire.KeepDetails(e, n.Object.Object("delivery-status"), "code", "attempt-no", "retry-seconds", "description", "mx-host", "session-seconds", "tls", "certificate-verified", "utf8",
		"bounce-type", "last-code", "last-message", "first-delivery-attempt-seconds")
	wire.KeepDetails(e, n.Object.Object("envelope"), "transport", "targets", "sending-ip", "sending-host", "mail-from")
	wire.KeepDetails(e, n.Object.Object("flags"), "is-authenticated", "is-routed", "is-system-test", "is-test-mode", "is-big", "is-delayed-bounce")
	wire.KeepDetails(e, n.Object.Object("client-info"), "client-type", "device-type", "bot")
	wire.KeepDetails(e, n.Object.Object("geolocation"), "country", "region", "city")
	list := n.Object.Object("mailing-list")
	wire.SetDetail(e, "mailing-list", wire.First(list.Text("address"), list.Text("list-id")))
	wire.SetDetail(e, "domain", n.Object.Object("domain").Text("name"))
	wire.SetDetail(e, "storage-url", wire.First(n.Object.Object("storage").Texts("url")...))
	var campaigns []string
	for _, campaign := range n.Objects("campaigns") {
		campaigns = append(campaigns, wire.First(campaign.Text("name"), campaign.Text("id")))
	}
	wire.SetDetailList(e, "campaigns", campaigns)
}

// rejected reads that Mailgun did not take a message. It says of the recipient what the message does.
func (n notice) rejected(e *event.Event) {
	reject := n.Object.Object("reject")
	e.Reason = wire.First(reject.Text("reason"), e.Reason)
	e.Diagnostic = wire.First(reject.Text("description"), e.Diagnostic)
	e.Reject.Reason = event.OtherReason
	if e.Recipient == "" {
		wire.SetRecipients(e, n.Object.Object("message").Object("headers").Addresses("to"))
	}
}

// stored reads that a mail came in which Mailgun keeps.
func (n notice) stored(e *event.Event) {
	message := n.Object.Object("message")
	headers := message.Object("headers")
	var m mime.Message
	m.From, m.To = mailboxes(headers, "from"), mailboxes(headers, "to")
	m.Envelope = event.MailEnvelope{From: n.Object.Object("envelope").Address("sender"), To: message.Addresses("recipients")}
	for _, file := range message.Objects("attachments") {
		m.AttachKept(attachment(file))
	}
	e.Mail, e.Truncated = &m.Mail, e.Truncated || m.Truncated
	about := e.Recipient
	wire.SetRecipients(e, m.Envelope.To, headers.Addresses("to"))
	if len(m.Envelope.To) == 1 {
		about = m.Envelope.To[0]
	}
	e.Recipient = wire.First(about, e.Recipient)
}
