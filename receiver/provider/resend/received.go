package resend

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// received reads a message that came in. Its bodies are not told: they are to be fetched from Resend's API with the email_id.
func (d *data) received(e *event.Event) {
	d.message(e)
	e.Mail = &event.Mail{From: mailboxes(d.Mailboxes("from")), To: mailboxes(d.Mailboxes("to")), Cc: mailboxes(d.Mailboxes("cc"))}
	e.Mail.Envelope.To = d.Addresses("received_for")
	if len(e.Mail.Envelope.To) == 1 {
		e.Recipient = e.Mail.Envelope.To[0]
	}
	for _, a := range d.Objects("attachments") {
		if len(e.Mail.Attachments) == event.MaxAttachments {
			e.Truncated = true
			break
		}
		e.Mail.Attachments = append(e.Mail.Attachments, event.Attachment{
			ID: a.Text("id"), Name: a.Text("filename"), MediaType: strings.ToLower(a.Text("content_type")), ContentID: wire.MessageID(a.Text("content_id")),
		})
	}
}

func mailboxes(found []wire.Mailbox) []event.Mailbox {
	var boxes []event.Mailbox
	for _, b := range found {
		boxes = append(boxes, event.Mailbox{Address: b.Address, Name: b.Name})
	}
	return boxes
}
