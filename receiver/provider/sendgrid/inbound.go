package sendgrid

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inbound is the name of a mail that came in: Inbound Parse gives it none.
const inbound = "inbound"

var errNoMail = errors.New("the form holds no mail")

// mailForm is the form of one mail that came in.
type mailForm struct {
	*form.Form

	// charsets are the character sets of the fields, which are bytes of the mail.
	charsets map[string]string
	// twice is a field that was looked up and has two values.
	twice string
}

// mail reads a mail that came in. SendGrid says neither when nor gives it an id: Date is what its sender says.
func (b *batch) mail(f *form.Form) error {
	m := mailForm{Form: f}
	m.charsets = texts(m.value("charsets"))
	if !slices.ContainsFunc(f.Fields, func(field form.Field) bool {
		return slices.Contains([]string{"headers", "email", "envelope", "from", "to", "text", "html"}, field.Name)
	}) {
		return errNoMail
	}
	e := event.Event{Provider: Type, Type: event.Received, ProviderEvent: inbound}
	received := m.read(&e)
	if m.twice != "" {
		return fmt.Errorf("the field %s occurs twice, with different values", m.twice)
	}
	wire.Seconds("").SetTime(&e, b.request.ReceivedAt)
	e.ID, e.Raw = f.Identity(), f.Raw()
	reports := received.Reports(&e, new(mime.ReportBudget))
	b.Events = append(append(b.Events, e), reports...)
	return nil
}

// read sets what the form says, and returns the mail.
func (m *mailForm) read(e *event.Event) *mime.Message {
	mail := m.message()
	mail.Envelope = m.envelope()
	m.verdicts(&mail.Mail)
	e.Mail, e.Truncated = &mail.Mail, mail.Truncated
	e.MessageID, e.Subject = mail.MessageID, mail.Subject
	e.Sender = wire.First(append(mime.Addresses(mail.From), mail.Envelope.From)...)
	wire.SetRecipients(e, mail.Envelope.To, mime.Addresses(mail.To), mime.Addresses(mail.Cc))
	if len(mail.Envelope.To) == 1 {
		e.Recipient = mail.Envelope.To[0]
	}
	wire.SetDetail(e, "sender_ip", m.text("sender_ip"))
	wire.SetDetail(e, "dkim", m.text("dkim"))
	return &mail
}

// value returns the value of a field; nil when there is none.
func (m *mailForm) value(name string) []byte {
	values := m.All(name)
	if len(values) == 0 {
		return nil
	}
	for _, other := range values[1:] {
		if !bytes.Equal(other, values[0]) {
			m.twice = name
		}
	}
	return values[0]
}

// text returns the value of a field in UTF-8.
func (m *mailForm) text(name string) string { return mime.Decode(m.charsets[name], m.value(name)) }

// message returns the mail: as it came in, where SendGrid is told to pass that on, or else what SendGrid has read of it.
func (m *mailForm) message() mime.Message {
	if raw := m.value("email"); len(raw) > 0 {
		if mail, err := mime.Parse(raw); err == nil {
			return mail
		}
	}
	mail, _ := mime.ParseHeader(m.value("headers")) // nothing, where there is none that can be read
	if mail.From == nil {
		mail.From = mime.Mailboxes(m.text("from"))
	}
	if mail.To == nil {
		mail.To = mime.Mailboxes(m.text("to"))
	}
	if mail.Cc == nil {
		mail.Cc = mime.Mailboxes(m.text("cc"))
	}
	mail.Subject = wire.First(mail.Subject, m.text("subject"))
	mail.SetText(m.text("text"), m.text("html"))
	m.attachments(&mail)
	return mail
}

// attachments reads the files, each in a field of its own. What is known of them stands in two other fields.
func (m *mailForm) attachments(mail *mime.Message) {
	known := map[string]event.Attachment{}
	object(m.value("attachment-info"), func(o wire.Object) {
		for field := range o.Members() {
			info := o.Object(field)
			known[field] = event.Attachment{
				Name: wire.First(info.Text("filename"), info.Text("name")), MediaType: info.Text("type"), ContentID: info.Text("content-id"),
			}
		}
	})
	for id, field := range texts(m.value("content-ids")) {
		a := known[field]
		a.ContentID = wire.First(a.ContentID, id)
		known[field] = a
	}
	for i := range m.Fields {
		field := &m.Fields[i]
		if !isAttachment(field) {
			continue
		}
		a := known[field.Name]
		a.Name, a.MediaType = wire.First(a.Name, field.File), wire.First(a.MediaType, field.MediaType)
		mail.Attach(a, bytes.NewReader(field.Value))
	}
}

// isAttachment reports whether a field is a file: "attachment1" and so on, also where the file has no name.
func isAttachment(field *form.Field) bool {
	number, found := strings.CutPrefix(field.Name, "attachment")
	return found && number != "" && strings.Trim(number, "0123456789") == "" || field.File != "" && field.Name != "email"
}

// envelope returns what the sending server said.
func (m *mailForm) envelope() (envelope event.MailEnvelope) {
	object(m.value("envelope"), func(o wire.Object) {
		envelope = event.MailEnvelope{From: o.Address("from"), To: o.Addresses("to")}
	})
	return envelope
}

// verdicts reads what SendGrid thinks of the mail.
func (m *mailForm) verdicts(mail *event.Mail) {
	mail.Spam.Score = m.text("spam_score")
	mail.Authentication.SPF = word(m.text("SPF"))
	mail.Authentication.DKIM = dkim(m.text("dkim"))
}

// dkim reads a list such as "{@example.org : pass, @example.com : fail}", which is no JSON, or "none". One signature that is right is
// enough; those that are not count as if they were not there (RFC 6376 section 6.1).
func dkim(text string) string {
	verdict := ""
	for entry := range strings.SplitSeq(strings.Trim(strings.TrimSpace(text), "{}"), ",") {
		_, found, isPair := strings.Cut(entry, ":")
		if !isPair {
			found = entry
		}
		if found = word(found); verdict == "" || found == "pass" {
			verdict = found
		}
	}
	return verdict
}

// word returns a verdict in lower case.
func word(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// texts returns the members of a field that is a JSON object.
func texts(field []byte) map[string]string {
	values := map[string]string{}
	object(field, func(o wire.Object) { maps.Insert(values, o.Members()) })
	return values
}

// object reads a field that is a JSON object. One that is none costs nothing but what it says.
func object(field []byte, read func(wire.Object)) {
	_ = wire.Single(field, func(i wire.Item) error {
		read(i.Object)
		return nil
	})
}
