package brevo

import (
	"net/http"
	"strconv"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inbound is the name of a mail that came in: Brevo gives it none.
const inbound = "inbound"

// mail reads a mail that came in. Brevo does not say when: SentAtDate is what its sender says.
func (b *batch) mail(i *item, e event.Event) error {
	ids := i.Texts("Uuid")
	if len(ids) == 0 && i.JSON("MessageId") == "" && i.JSON("RawTextBody") == "" {
		return errNoEvent
	}
	e.Type, e.ProviderEvent = event.Received, inbound
	wire.Seconds("").SetTime(&e, b.request.ReceivedAt)
	i.read(&e)
	if err := i.Doubt(); err != nil {
		return err
	}
	// The tokens of attachments may be made anew each time that a mail is told.
	if e.ID = i.Identity(); len(ids) > 0 {
		e.ID, e.ProviderEventID = event.HashID(inbound, ids[0]), ids[0]
	}
	e.ID = b.ids.Unique(e.ID)
	b.Events = append(b.Events, e)
	return nil
}

// read sets what the mail says.
func (i *item) read(e *event.Event) {
	header := http.Header{}
	for name, values := range i.Lists("Headers") {
		header[http.CanonicalHeaderKey(name)] = values
	}
	header.Set("Date", wire.First(i.Text("SentAtDate"), header.Get("Date")))
	var m mime.Message
	m.Thread(header.Get)
	e.MessageID = wire.First(wire.MessageID(i.Text("MessageId")), m.MessageID)
	m.InReplyTo = wire.First(m.InReplyTo, wire.MessageID(i.Text("InReplyTo")))
	m.Envelope = event.MailEnvelope{From: wire.Address(header.Get("Return-Path")), To: i.Addresses("Recipients")}
	m.From, m.To, m.Cc, m.ReplyTo = i.mailboxes("From"), i.mailboxes("To"), i.mailboxes("Cc"), i.mailboxes("ReplyTo")
	m.Spam.Score = i.Text("SpamScore")
	m.SetText(i.Text("RawTextBody"), i.Text("RawHtmlBody"))
	i.attachments(&m)
	e.Mail, e.Truncated = &m.Mail, m.Truncated
	e.Subject = i.Text("Subject")
	e.Sender = wire.First(mime.Addresses(m.From)...)
	wire.SetRecipients(e, m.Envelope.To, mime.Addresses(m.To), mime.Addresses(m.Cc), mime.Addresses(i.mailboxes("Bcc")))
	if len(m.Envelope.To) == 1 {
		e.Recipient = m.Envelope.To[0]
	}
}

// mailboxes returns the mailboxes that a member holds: an object, or a list of them.
func (i *item) mailboxes(member string) []event.Mailbox {
	var boxes []event.Mailbox
	for _, o := range i.Objects(member) {
		if address := o.Address("Address"); address != "" && len(boxes) <= wire.MaxRecipients {
			boxes = append(boxes, event.Mailbox{Address: address, Name: o.Text("Name")})
		}
	}
	return boxes
}

// attachments reads the files, which Brevo keeps: their bytes are had with a token and the API key.
func (i *item) attachments(m *mime.Message) {
	for _, file := range i.Objects("Attachments") {
		size, _ := strconv.ParseInt(file.Text("ContentLength"), 10, 64)
		m.AttachKept(event.Attachment{
			Name: file.Text("Name"), MediaType: file.Text("ContentType"), Size: size, ContentID: file.Text("ContentID"), ID: file.Text("DownloadToken"),
		})
	}
}
