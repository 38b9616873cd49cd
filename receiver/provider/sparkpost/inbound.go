package sparkpost

import (
	"encoding/base64"
	"net/http"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inbound reads a mail that came in. SparkPost does not say when.
func (i *item) inbound(e *event.Event) {
	e.Type = event.Received
	content := i.data.Object("content")
	i.received = mail(content)
	m := &i.received
	m.Envelope.From, m.Envelope.To = i.data.Address("msg_from"), i.data.Addresses("rcpt_to")
	e.Mail, e.Truncated = &m.Mail, m.Truncated
	e.MessageID, e.Subject = m.MessageID, wire.First(m.Subject, content.Text("subject"))
	e.Account = i.data.Text("customer_id")
	e.Sender = wire.First(append(mime.Addresses(m.From), i.data.Address("friendly_from"))...)
	wire.SetRecipients(e, m.Envelope.To, mime.Addresses(m.To), mime.Addresses(m.Cc))
	e.Recipient = wire.First(append(m.Envelope.To, e.Recipient)...)
	wire.KeepDetails(e, i.data, "webhook_id", "protocol")
}

// mail returns the message: as it came in, or else what SparkPost has read of it.
func mail(content wire.Object) mime.Message {
	if raw := original(content); len(raw) > 0 {
		if m, err := mime.Parse(raw); err == nil {
			return m
		}
	}
	var m mime.Message
	header := http.Header{}
	for _, field := range content.Objects("headers") {
		for name, value := range field.Members() {
			header.Add(name, value)
		}
	}
	m.Thread(header.Get)
	m.From, m.ReplyTo = mime.Mailboxes(header.Get("From")), mime.Mailboxes(header.Get("Reply-To"))
	m.To, m.Cc = mailboxes(header.Get("To"), content.Texts("to")), mailboxes(header.Get("Cc"), content.Texts("cc"))
	m.SetText(content.Text("text"), content.Text("html"))
	return m
}

// mailboxes returns those of a header field, and else those of a list.
func mailboxes(field string, list []string) []event.Mailbox {
	boxes := mime.Mailboxes(field)
	for _, text := range list[:min(len(list), wire.MaxRecipients)] {
		if field == "" {
			boxes = append(boxes, mime.Mailboxes(text)...)
		}
	}
	return boxes
}

// original returns the mail as it came in; nothing where it is not there or no base64 although it should be.
func original(content wire.Object) []byte {
	text := content.Text("email_rfc822")
	if content.Text("email_rfc822_is_base64") != "true" {
		return []byte(text)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return raw
}
