package postmark

import (
	"net/http"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inbound reads a message that came in. Postmark does not say when: Date is what its sender says.
func (r *record) inbound(e *event.Event) {
	e.Type = event.Received
	header := r.header()
	r.received = r.mail(header)
	m := &r.received
	r.verdicts(&m.Mail, header)
	m.Envelope.From = wire.Address(header.Get("Return-Path"))
	m.Envelope.To = r.Addresses("OriginalRecipient")
	e.Mail, e.Truncated = &m.Mail, e.Truncated || m.Truncated
	e.MessageID, e.Subject = m.MessageID, wire.First(e.Subject, m.Subject)
	e.Sender = wire.First(r.full("FromFull", "From").addresses()...)
	wire.SetRecipients(e, m.Envelope.To, mime.Addresses(m.To), mime.Addresses(m.Cc), r.full("BccFull", "Bcc").addresses())
	if len(m.Envelope.To) > 0 {
		e.Recipient = m.Envelope.To[0]
	}
	wire.KeepDetails(e, r.Object, "MailboxHash")
}

// header returns the header fields. Those that have a member of their own are not among them.
func (r *record) header() http.Header {
	header := http.Header{}
	for _, field := range r.Objects("Headers") {
		header.Add(field.Text("Name"), field.Text("Value"))
	}
	return header
}

// mail returns the message: as it came in, where Postmark is told to pass that on, or else what Postmark has read of it.
func (r *record) mail(header http.Header) mime.Message {
	if raw := r.Text("RawEmail"); raw != "" {
		if m, err := mime.Parse([]byte(raw)); err == nil {
			return m
		}
	}
	var m mime.Message
	header.Set("Date", r.Text("Date"))
	m.Thread(header.Get)
	m.From, m.To, m.Cc = r.full("FromFull", "From"), r.full("ToFull", "To"), r.full("CcFull", "Cc")
	m.ReplyTo = mime.Mailboxes(r.Text("ReplyTo"))
	m.SetText(r.Text("TextBody"), r.Text("HtmlBody"))
	for _, file := range r.Objects("Attachments") {
		content := wire.First(file.Text("Content"), file.Text("Data")) // the latter in what the button "Check" sends
		m.AttachBase64(event.Attachment{Name: file.Text("Name"), MediaType: file.Text("ContentType"), ContentID: file.Text("ContentID")}, content)
	}
	return m
}

// mailboxes are those of a header field.
type mailboxes []event.Mailbox

func (m mailboxes) addresses() []string { return mime.Addresses(m) }

// full returns the mailboxes in a member that is an object or a list of them, or else in one that is a text.
func (r *record) full(objects, text string) mailboxes {
	var boxes mailboxes
	for _, o := range r.Objects(objects) {
		if address := o.Address("Email"); address != "" && len(boxes) <= wire.MaxRecipients {
			boxes = append(boxes, event.Mailbox{Address: address, Name: o.Text("Name")})
		}
	}
	if boxes == nil {
		boxes = mime.Mailboxes(r.Text(text))
	}
	return boxes
}

// verdicts reads what Postmark thinks of the message.
func (r *record) verdicts(m *event.Mail, header http.Header) {
	m.Spam.Verdict = firstWord(header.Get("X-Spam-Status"))
	m.Spam.Score = header.Get("X-Spam-Score")
	m.Authentication.SPF = firstWord(header.Get("Received-Spf"))
}

// firstWord returns the first word of a header field, in lower case.
func firstWord(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '(' })
	if len(words) == 0 {
		return ""
	}
	return strings.ToLower(words[0])
}
