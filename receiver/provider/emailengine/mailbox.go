package emailengine

import (
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inboxUse is the special use of an inbox (RFC 6154), and Gmail's label of it.
const inboxUse = `\Inbox`

// messageNew: a message appeared in a folder. Only in an inbox does that mean that it came in; elsewhere it was moved
// there or is an own copy.
func messageNew(e *event.Event, n notice) {
	switch {
	case !inInbox(n):
		e.Type = event.MailboxMessageCreated
	case n.data.Text("isAutoReply") == "true":
		e.Type = event.Autoresponded
	default:
		e.Type = event.Received
	}
	identifyMessage(e, n)
	e.Sender = n.data.Object("from").Text("address")
	e.Subject = n.data.Text("subject")
	e.MessageID = wire.MessageID(n.data.Text("messageId"))
	var to []string
	for _, a := range n.data.Objects("to") {
		if address := a.Text("address"); address != "" {
			to = append(to, address)
		}
	}
	setRecipients(e, to)
	wire.SetDetail(e, "inReplyTo", wire.MessageID(n.data.Text("inReplyTo")))
	wire.KeepDetails(e, n.data, "seemsLikeNew", "category", "isBounce", "isComplaint")
}

func inInbox(n notice) bool {
	return strings.EqualFold(n.Text("path"), "INBOX") ||
		n.Text("specialUse") == inboxUse ||
		n.data.Text("messageSpecialUse") == inboxUse ||
		slices.Contains(n.data.Texts("labels"), inboxUse)
}

// identifyMessage sets what identifies a message in a mailbox. Its text, headers and attachments stay in the raw event.
func identifyMessage(e *event.Event, n notice) {
	e.ProviderMessageID = n.data.Text("id")
	if e.ProviderMessageID != "" {
		// Every event of a message in a folder has this id, which is one of its account; only messageNew has the Message-ID.
		e.PartitionKey = e.Account + "/" + e.ProviderMessageID
	}
	setFolder(e, n)
	wire.KeepDetails(e, n.data, "uid", "emailId", "threadId")
}

// mailboxMessage returns the converter of what happened to a message in a folder.
func mailboxMessage(t event.Type) converter {
	return func(e *event.Event, n notice) {
		e.Type = t
		identifyMessage(e, n)
		wire.KeepDetails(e, n.data, "missingRetries", "missingDelay")
	}
}

// mailboxFolder returns the converter of what happened to a folder. A special use or a UIDVALIDITY that is not there is
// sent as false.
func mailboxFolder(t event.Type) converter {
	return func(e *event.Event, n notice) {
		e.Type = t
		e.Reason = n.data.Text("reason")
		setFolder(e, n)
		wire.KeepDetails(e, n.data, "name")
		keepUnlessFalse(e, n.data, "specialUse", "uidValidity", "prevUidValidity")
	}
}

// setFolder keeps the folder, which stands in the envelope, in the data, or in both.
func setFolder(e *event.Event, n notice) {
	wire.KeepDetails(e, n.data, "path")
	wire.KeepDetails(e, n.Object, "path")
	keepUnlessFalse(e, n.Object, "specialUse")
}

func keepUnlessFalse(e *event.Event, o wire.Object, names ...string) {
	for _, name := range names {
		if value := o.Text(name); value != "false" {
			wire.SetDetail(e, name, value)
		}
	}
}
