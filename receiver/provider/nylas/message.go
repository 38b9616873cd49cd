package nylas

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// created: a message appeared in a mailbox. Only in an inbox does that mean that it came in; elsewhere it was moved there or is an own copy.
func created(e *event.Event, n *notice, _ element) {
	e.Type = event.MailboxMessageCreated
	n.message(e)
	if !inInbox(n.object) {
		return
	}
	e.Type = event.Received
	m := n.mail()
	e.Mail, e.Truncated = &m.Mail, e.Truncated || m.Truncated
	e.MessageID = m.MessageID
}

// inInbox reports whether a message lies in an inbox and was not written by its owner. The names of folders are those of Google and of IMAP
// servers; Microsoft has ids in their place.
func inInbox(o wire.Object) bool {
	is := func(names ...string) bool {
		return slices.ContainsFunc(o.Texts("folders"), func(folder string) bool {
			return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(folder, name) })
		})
	}
	return is("INBOX") && !is("SENT", "DRAFT", "DRAFTS")
}

// mailbox returns the converter of what happened to a message in a mailbox.
func mailbox(t event.Type) func(*event.Event, *notice, element) {
	return func(e *event.Event, n *notice, _ element) {
		e.Type = t
		n.message(e)
	}
}

// submission returns the converter of what became of a message that was to be sent at a time.
func submission(t event.Type) func(*event.Event, *notice, element) {
	return func(e *event.Event, n *notice, _ element) {
		e.Type = t
		n.message(e)
		e.Reason = n.object.Text("error")
		wire.KeepDetails(e, n.object, "schedule_id", "send_at", "use_draft")
	}
}

// message sets what all events of a message in a mailbox share.
func (n *notice) message(e *event.Event) {
	o := n.object
	if e.ProviderMessageID = o.Text("id"); e.ProviderMessageID != "" {
		e.PartitionKey = e.Account + "/" + e.ProviderMessageID // the id is one of its grant
	}
	e.Sender, e.Subject = o.Address("from"), o.Text("subject")
	wire.SetRecipients(e, o.Addresses("to"), o.Addresses("cc"), o.Addresses("bcc"))
	for name, text := range o.Object("metadata").Members() {
		wire.SetMetadata(e, name, text)
	}
	wire.KeepDetails(e, o, "thread_id", "date", "unread", "starred", "snippet")
	wire.SetDetailList(e, "folders", o.Texts("folders"))
}

// mail returns a message that came in. Header fields are there where the application has asked for them.
func (n *notice) mail() *mime.Message {
	m := &mime.Message{}
	fields := n.object.Objects("headers")
	m.Thread(func(name string) string {
		for _, field := range fields {
			if strings.EqualFold(field.Text("name"), name) {
				return field.Text("value")
			}
		}
		return ""
	})
	if sent, ok := wire.Seconds(n.object.Text("date")).Time(); ok {
		m.Date = sent
	}
	m.From, m.To = mailboxes(n.object.Mailboxes("from")), mailboxes(n.object.Mailboxes("to"))
	m.Cc, m.ReplyTo = mailboxes(n.object.Mailboxes("cc")), mailboxes(n.object.Mailboxes("reply_to"))
	if n.cleaned {
		m.SetText(n.object.Text("body"), "")
	} else {
		m.SetText("", n.object.Text("body"))
	}
	for _, a := range n.object.Objects("attachments") {
		size, _ := strconv.ParseInt(a.Text("size"), 10, 64)
		m.AttachKept(event.Attachment{ID: a.Text("id"), Name: a.Text("filename"), MediaType: a.Text("content_type"), ContentID: a.Text("content_id"), Size: size})
	}
	return m
}

func mailboxes(found []wire.Mailbox) []event.Mailbox {
	var boxes []event.Mailbox
	for _, b := range found {
		boxes = append(boxes, event.Mailbox{Address: b.Address, Name: b.Name})
	}
	return boxes
}
