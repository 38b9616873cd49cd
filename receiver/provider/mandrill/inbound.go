package mandrill

import (
	"net/http"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inbound reads a message that came in. Of one without "msg" nothing is known but that.
func (i *item) inbound(e *event.Event) {
	e.Type = event.Received
	if !strings.HasPrefix(i.JSON("msg"), "{") {
		return
	}
	i.received = i.mail()
	m := &i.received
	i.verdicts(&m.Mail)
	e.Mail, e.Truncated = &m.Mail, e.Truncated || m.Truncated
	e.MessageID, e.Subject = m.MessageID, wire.First(m.Subject, e.Subject)
	if e.Recipient != "" {
		m.Envelope.To = []string{e.Recipient}
	}
	e.Sender = wire.First(append([]string{i.msg.Address("from_email")}, mime.Addresses(m.From)...)...)
	about := e.Recipient
	wire.SetRecipients(e, m.Envelope.To, mime.Addresses(m.To), mime.Addresses(m.Cc))
	e.Recipient = wire.First(about, e.Recipient)
}

// mail returns the message: as it came in, or else what Mandrill has read of it.
func (i *item) mail() mime.Message {
	if raw := i.msg.Text("raw_msg"); raw != "" {
		if m, err := mime.Parse([]byte(raw)); err == nil {
			return m
		}
	}
	var m mime.Message
	header := http.Header{}
	for name, values := range i.msg.Lists("headers") {
		header[http.CanonicalHeaderKey(name)] = values
	}
	m.Thread(header.Get)
	m.Subject = i.msg.Text("subject")
	if from := i.msg.Address("from_email"); from != "" {
		m.From = []event.Mailbox{{Address: from, Name: i.msg.Text("from_name")}}
	}
	m.ReplyTo = mime.Mailboxes(header.Get("Reply-To"))
	m.To, m.Cc = i.mailboxes("to"), i.mailboxes("cc")
	m.SetText(i.msg.Text("text"), i.msg.Text("html"))
	i.attachments(&m)
	return m
}

// mailboxes reads a list of mailboxes, each a list of an address and a name.
func (i *item) mailboxes(member string) []event.Mailbox {
	var boxes []event.Mailbox
	for _, pair := range i.msg.Lists(member) {
		if len(pair) == 0 || len(boxes) > wire.MaxRecipients {
			continue
		}
		if box := (event.Mailbox{Address: wire.Address(pair[0]), Name: wire.First(pair[1:]...)}); box.Address != "" {
			boxes = append(boxes, box)
		}
	}
	return boxes
}

// attachments reads the files, by name, and the images within HTML, by Content-ID. The latter are always in base64.
func (i *item) attachments(m *mime.Message) {
	for name, file := range i.msg.ObjectEntries("attachments") {
		a := event.Attachment{Name: wire.First(file.Text("name"), name), MediaType: file.Text("type")}
		if file.Text("base64") == "true" {
			m.AttachBase64(a, file.Text("content"))
		} else {
			m.Attach(a, strings.NewReader(file.Text("content")))
		}
	}
	for id, image := range i.msg.ObjectEntries("images") {
		m.AttachBase64(event.Attachment{Name: image.Text("name"), MediaType: image.Text("type"), ContentID: id}, image.Text("content"))
	}
}

// verdicts reads what Mandrill thinks of the message.
func (i *item) verdicts(m *event.Mail) {
	m.Spam.Score = i.msg.Object("spam_report").Text("score")
	m.Authentication.SPF = strings.ToLower(i.msg.Object("spf").Text("result"))
	dkim := i.msg.Object("dkim")
	switch signed, valid := dkim.Text("signed"), dkim.Text("valid"); {
	case signed == "false":
		m.Authentication.DKIM = "none"
	case signed == "true" && valid == "true":
		m.Authentication.DKIM = "pass"
	case signed == "true" && valid == "false":
		m.Authentication.DKIM = "fail"
	}
}
