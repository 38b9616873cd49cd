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
	case n.data.Text("isAutoReply") == "true" && !isReport(n):
		e.Type = event.Autoresponded
	default:
		e.Type = event.Received
	}
	identifyMessage(e, n)
	e.Sender = n.data.Address("from")
	e.Subject = n.data.Text("subject")
	e.MessageID = wire.MessageID(n.data.Text("messageId"))
	wire.SetRecipients(e, n.data.Addresses("to"), n.data.Addresses("cc"), n.data.Addresses("bcc"))
	if sender := n.data.Address("sender"); sender != e.Sender {
		wire.SetDetail(e, "sender", sender)
	}
	if from := n.data.Mailboxes("from"); len(from) > 0 {
		wire.SetDetail(e, "from.name", from[0].Name)
	}
	wire.SetDetailList(e, "replyTo", n.data.Addresses("replyTo"))
	wire.SetDetail(e, "inReplyTo", wire.MessageID(n.data.Text("inReplyTo")))
	wire.SetDetail(e, "relatedMessageId", wire.MessageID(n.data.Text("relatedMessageId")))
	wire.KeepDetails(e, n.data, "date", "size", "unseen", "seemsLikeNew", "category", "isBounce", "isComplaint", "isAutoReply", "messageSpecialUse")
	wire.SetDetailList(e, "flags", n.data.Texts("flags"))
	wire.SetDetailList(e, "labels", n.data.Texts("labels"))
	wire.SetDetailList(e, "attachments", textsOf(n.data.Objects("attachments"), "filename"))
	wire.SetDetailList(e, "calendarEvents", textsOf(n.data.Objects("calendarEvents"), "eventId"))
}

func inInbox(n notice) bool {
	return strings.EqualFold(n.Text("path"), "INBOX") ||
		n.Text("specialUse") == inboxUse ||
		n.data.Text("messageSpecialUse") == inboxUse ||
		slices.Contains(n.data.Texts("labels"), inboxUse)
}

// textsOf returns a member of each of a list of objects.
func textsOf(objects []wire.Object, name string) []string {
	var texts []string
	for _, o := range objects {
		texts = appendNew(texts, o.Text(name))
	}
	return texts
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
		changes := n.data.Object("changes")
		for _, what := range []string{"flags", "labels"} {
			for _, how := range []string{"added", "deleted", "value"} {
				wire.SetDetailList(e, "changes."+what+"."+how, changes.Object(what).Texts(how))
			}
		}
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
