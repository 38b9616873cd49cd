package mailgun

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// mail reads a mail that a route forwards: parsed, raw, or, where Mailgun keeps it, without its bodies. It returns the mail.
func (f fields) mail(e *event.Event) *mime.Message {
	e.Type, e.ProviderEvent = event.Received, inbound
	header := headerOf(f.text("message-headers"))
	m := f.message(header)
	m.Envelope.From = wire.Address(f.text("sender"))
	m.Envelope.To = wire.Addresses(f.text("recipient"))
	m.Spam = event.Spam{Verdict: word(header, "X-Mailgun-Sflag"), Score: strings.TrimSpace(header.Get("X-Mailgun-Sscore"))}
	m.Authentication = event.Authentication{SPF: word(header, "X-Mailgun-Spf"), DKIM: word(header, "X-Mailgun-Dkim-Check-Result")}
	e.Mail, e.Truncated = &m.Mail, e.Truncated || m.Truncated
	e.MessageID, e.Subject = m.MessageID, m.Subject
	e.Sender = wire.First(append(mime.Addresses(m.From), m.Envelope.From)...)
	wire.SetRecipients(e, m.Envelope.To, mime.Addresses(m.To), mime.Addresses(m.Cc))
	if len(m.Envelope.To) == 1 {
		e.Recipient = m.Envelope.To[0]
	}
	wire.SetDetail(e, "message-url", f.text("message-url"))
	wire.SetDetail(e, "domain", f.text("domain"))
	return &m
}

// word returns the verdict in a header field, in lower case.
func word(header http.Header, name string) string {
	return strings.ToLower(strings.TrimSpace(header.Get(name)))
}

// message returns the mail: as it came in, where the address of the route ends in "mime", or else what Mailgun has read of it.
func (f fields) message(header http.Header) mime.Message {
	if raw := f.All("body-mime"); len(raw) > 0 {
		if m, err := mime.Parse(raw[0]); err == nil {
			return m
		}
	}
	var m mime.Message
	m.Thread(header.Get)
	m.MessageID = wire.First(m.MessageID, wire.MessageID(f.text("Message-Id")))
	m.Subject = wire.First(f.text("subject"), header.Get("Subject"))
	m.From = mime.Mailboxes(wire.First(header.Get("From"), f.text("from"), f.text("From")))
	m.To = mime.Mailboxes(wire.First(header.Get("To"), f.text("To")))
	m.Cc = mime.Mailboxes(wire.First(header.Get("Cc"), f.text("Cc")))
	m.ReplyTo = mime.Mailboxes(wire.First(header.Get("Reply-To"), f.text("Reply-To")))
	m.SetText(f.text("body-plain"), f.text("body-html"))
	f.attachments(&m)
	return m
}

// attachments reads the files, each in a field of its own, or the list of those that Mailgun keeps.
func (f fields) attachments(m *mime.Message) {
	ids := map[string]string{}
	object([]byte(f.text("content-id-map")), func(o wire.Object) {
		for id, field := range o.Members() {
			ids[field] = id
		}
	})
	for i := range f.Fields {
		if field := &f.Fields[i]; isFile(field) {
			m.Attach(event.Attachment{Name: field.File, MediaType: field.MediaType, ContentID: ids[field.Name]}, bytes.NewReader(field.Value))
		}
	}
	list(f.text("attachments"), func(o wire.Object) {
		for _, file := range o.Objects(listed) {
			m.AttachKept(attachment(file))
		}
	})
}

// attachment reads what Mailgun says of a file that it keeps.
func attachment(file wire.Object) event.Attachment {
	size, _ := strconv.ParseInt(file.Text("size"), 10, 64)
	return event.Attachment{Name: wire.First(file.Text("name"), file.Text("filename")), MediaType: file.Text("content-type"), Size: size, URL: file.Text("url")}
}

// mailboxes returns the mailboxes of a member.
func mailboxes(o wire.Object, name string) []event.Mailbox {
	var boxes []event.Mailbox
	for _, b := range o.Mailboxes(name) {
		boxes = append(boxes, event.Mailbox{Address: b.Address, Name: b.Name})
	}
	return boxes
}

// headerOf reads a header that is a list of pairs in JSON. What is none costs nothing but what it says.
func headerOf(text string) http.Header {
	header := http.Header{}
	list(text, func(o wire.Object) {
		for _, pair := range o.Lists(listed) {
			if len(pair) == 2 {
				header.Add(pair[0], pair[1])
			}
		}
	})
	return header
}

// listed is the name under which a list is read: lists are members of objects.
const listed = "list"

// list reads a field that is a JSON array.
func list(text string, read func(wire.Object)) {
	if array := wire.Trim([]byte(text)); len(array) > 0 && array[0] == '[' {
		object(slices.Concat([]byte(`{"`+listed+`":`), array, []byte("}")), read)
	}
}

// object reads a field that is a JSON object. One that is none costs nothing but what it says.
func object(field []byte, read func(wire.Object)) {
	_ = wire.Single(field, func(i wire.Item) error {
		read(i.Object)
		return nil
	})
}
