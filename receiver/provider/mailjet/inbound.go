package mailjet

import (
	stdmime "mime"
	"net/http"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// compactDate is the form of the member Date, which is the header field in UTC.
const compactDate = "20060102T150405"

// inbound reads a mail that came in. Mailjet does not say when: Date is what its sender says.
func (i *item) inbound(e *event.Event) {
	var m mime.Message
	header := http.Header{}
	for name, values := range i.Lists("Headers") {
		header[http.CanonicalHeaderKey(name)] = values
	}
	m.Thread(header.Get)
	if at, err := time.Parse(compactDate, i.Text("Date")); err == nil && m.Date.IsZero() {
		m.Date = at
	}
	m.From = mime.Mailboxes(wire.First(i.Text("From"), header.Get("From")))
	m.To, m.Cc, m.ReplyTo = mime.Mailboxes(header.Get("To")), mime.Mailboxes(header.Get("Cc")), mime.Mailboxes(header.Get("Reply-To"))
	m.SetText(i.Text("Text-part"), i.Text("Html-part"))
	i.attachments(&m)
	m.Spam.Score = i.Text("SpamAssassinScore")
	m.Envelope.From, m.Envelope.To = i.Address("Sender"), i.Addresses("Recipient")
	e.Mail, e.Truncated = &m.Mail, e.Truncated || m.Truncated
	e.MessageID, e.Subject = m.MessageID, wire.First(i.Text("Subject"), header.Get("Subject"))
	e.Sender = wire.First(mime.Addresses(m.From)...)
	wire.SetRecipients(e, m.Envelope.To, mime.Addresses(m.To), mime.Addresses(m.Cc))
	e.Recipient = wire.First(append(m.Envelope.To, e.Recipient)...)
}

// attachments reads the members Attachment1, InlineAttachment1 and so on, each once: what the list of parts says of one is looked up.
func (i *item) attachments(m *mime.Message) {
	parts := map[string]event.Attachment{}
	for _, part := range i.Objects("Parts") {
		parts[part.Text("ContentRef")] = described(part)
	}
	for name, content := range i.Members() {
		if strings.HasPrefix(name, "Attachment") || strings.HasPrefix(name, "InlineAttachment") {
			m.AttachBase64(parts[name], content)
		}
	}
}

// described returns what the header of a part says of it.
func described(part wire.Object) event.Attachment {
	header := http.Header{}
	for name, values := range part.Lists("Headers") {
		header[http.CanonicalHeaderKey(name)] = values
	}
	// What cannot be read is "": the bytes are there nonetheless.
	mediaType, parameters, _ := stdmime.ParseMediaType(header.Get("Content-Type"))
	_, disposition, _ := stdmime.ParseMediaType(header.Get("Content-Disposition"))
	name := wire.First(disposition["filename"], parameters["name"])
	if decoded, err := new(stdmime.WordDecoder).DecodeHeader(name); err == nil {
		name = decoded
	}
	return event.Attachment{Name: name, MediaType: mediaType, ContentID: header.Get("Content-Id")}
}
