package mailersend

import (
	"net/http"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inbound reads a mail that came in.
func (i *item) inbound(e *event.Event) {
	i.received = i.mail()
	m := &i.received
	m.Envelope.From = i.data.Object("sender").Address("email")
	to := i.data.Object("recipients")
	for _, box := range to.Objects("rcptTo") {
		if address := box.Address("email"); address != "" && len(m.Envelope.To) <= wire.MaxRecipients {
			m.Envelope.To = append(m.Envelope.To, address)
		}
	}
	m.Authentication = event.Authentication{SPF: spf(i.data.Object("spf_check").Text("code"))}
	if i.data.Text("dkim_check") == "true" { // false may mean that there is no signature
		m.Authentication.DKIM = "pass"
	}
	e.Mail, e.Truncated = &m.Mail, e.Truncated || m.Truncated
	e.MessageID, e.Subject = m.MessageID, wire.First(i.data.Text("subject"), m.Subject)
	e.Sender = wire.First(append(mime.Addresses(m.From), i.data.Object("from").Address("email"))...)
	wire.SetRecipients(e, m.Envelope.To, mime.Addresses(m.To), mime.Addresses(m.Cc))
	if len(m.Envelope.To) == 1 {
		e.Recipient = m.Envelope.To[0]
	}
	wire.KeepDetails(e, i.data, "dkim_check")
}

// spf returns the word of RFC 8601 for a result of SPF, which MailerSend writes as the qualifier that matched (RFC 7208 section 4.6.2).
func spf(code string) string {
	switch code {
	case "+":
		return "pass"
	case "-":
		return "fail"
	case "~":
		return "softfail"
	case "?":
		return "neutral"
	default:
		return strings.ToLower(strings.TrimSpace(code))
	}
}

// mail returns the mail: as it came in, or else what MailerSend has read of it.
func (i *item) mail() mime.Message {
	if raw := i.data.Text("raw"); raw != "" {
		if m, err := mime.Parse([]byte(raw)); err == nil {
			return m
		}
	}
	var m mime.Message
	header := http.Header{}
	for name, values := range i.data.Lists("headers") {
		header[http.CanonicalHeaderKey(name)] = values
	}
	if header.Get("Date") == "" {
		header.Set("Date", i.data.Text("date"))
	}
	m.Thread(header.Get)
	to := i.data.Object("recipients")
	m.From, m.ReplyTo = boxes(i.data.Mailboxes("from")), mime.Mailboxes(header.Get("Reply-To"))
	m.To, m.Cc = boxes(to.Object("to").Mailboxes("data")), boxes(to.Object("cc").Mailboxes("data"))
	m.SetText(i.data.Text("text"), i.data.Text("html"))
	for _, file := range i.data.Objects("attachments") {
		known := event.Attachment{Name: file.Text("file_name"), MediaType: file.Text("content_type"), ContentID: file.Text("content_id")}
		m.AttachBase64(known, file.Text("content"))
	}
	return m
}

func boxes(found []wire.Mailbox) []event.Mailbox {
	var boxes []event.Mailbox
	for _, b := range found {
		boxes = append(boxes, event.Mailbox{Address: b.Address, Name: b.Name})
	}
	return boxes
}
