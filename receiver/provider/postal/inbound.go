package postal

import (
	"encoding/base64"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inbound reads a mail that came in: as a whole ("RawMessage"), or what Postal has read of it ("Hash").
func (i *item) inbound(e *event.Event) {
	e.Type = event.Received
	i.received = i.mail()
	m := &i.received
	m.Envelope.From, m.Envelope.To = i.Address("mail_from"), i.Addresses("rcpt_to")
	m.Spam.Verdict = strings.ToLower(i.Text("spam_status"))
	e.Mail, e.Truncated = &m.Mail, e.Truncated || m.Truncated
	e.MessageID, e.Subject = m.MessageID, wire.First(m.Subject, i.Text("subject"))
	e.ProviderMessageID = i.Text("id")
	e.Sender = wire.First(mime.Addresses(m.From)...)
	wire.SetRecipients(e, m.Envelope.To, mime.Addresses(m.To), mime.Addresses(m.Cc))
	e.Recipient = wire.First(append(m.Envelope.To, e.Recipient)...)
	wire.KeepDetails(e, i.Object, "bounce", "received_with_ssl", "size")
}

func (i *item) mail() mime.Message {
	if raw := i.original(); len(raw) > 0 {
		if m, err := mime.Parse(raw); err == nil {
			return m
		}
	}
	var m mime.Message
	m.Thread(i.header)
	m.From, m.To, m.Cc = mime.Mailboxes(i.Text("from")), i.mailboxes("to"), i.mailboxes("cc")
	m.ReplyTo = i.mailboxes("reply_to")
	m.SetText(i.Text("plain_body"), i.Text("html_body"))
	for _, file := range i.Objects("attachments") {
		m.AttachBase64(event.Attachment{Name: file.Text("filename"), MediaType: strings.ToLower(file.Text("content_type"))}, file.Text("data"))
	}
	return m
}

// header returns the header fields that have a member of their own.
func (i *item) header(name string) string {
	switch name {
	case "Message-Id":
		return i.Text("message_id")
	case "In-Reply-To":
		return i.Text("in_reply_to")
	case "References":
		return i.Text("references")
	case "Auto-Submitted":
		return i.Text("auto_submitted")
	case "Date":
		return i.Text("date")
	default:
		return ""
	}
}

// mailboxes reads a member that is a text or a list of them.
func (i *item) mailboxes(member string) []event.Mailbox {
	return mime.Mailboxes(strings.Join(i.Texts(member), ", "))
}

// original returns the mail as it came in; nothing where it is not there, or no base64 although it should be.
func (i *item) original() []byte {
	text := i.Text("message")
	if i.Text("base64") != "true" {
		return []byte(text)
	}
	raw, err := base64.StdEncoding.DecodeString(text) // which may have line breaks
	if err != nil {
		return nil
	}
	return raw
}
