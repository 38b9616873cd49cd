package emailengine

import (
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inboxUse is the special use of an inbox (RFC 6154), and Gmail's label of it.
const inboxUse = `\Inbox`

type address struct {
	Address wire.Text `json:"address"`
}

// message is a message in a folder. The text, headers and attachments stay in the raw event.
type message struct {
	ID                wire.Text             `json:"id"`
	UID               wire.Text             `json:"uid"`
	EmailID           wire.Text             `json:"emailId"`
	ThreadID          wire.Text             `json:"threadId"`
	Path              wire.Text             `json:"path"`
	Subject           wire.Text             `json:"subject"`
	From              wire.Object[address]  `json:"from"`
	To                wire.Objects[address] `json:"to"`
	MessageID         wire.Text             `json:"messageId"`
	InReplyTo         wire.Text             `json:"inReplyTo"`
	Labels            wire.Texts            `json:"labels"`
	MessageSpecialUse wire.Text             `json:"messageSpecialUse"`
	SeemsLikeNew      wire.Text             `json:"seemsLikeNew"`
	Category          wire.Text             `json:"category"`
	IsAutoReply       wire.Text             `json:"isAutoReply"`
	IsBounce          wire.Text             `json:"isBounce"`
	IsComplaint       wire.Text             `json:"isComplaint"`
	MissingRetries    wire.Text             `json:"missingRetries"`
	MissingDelay      wire.Text             `json:"missingDelay"`
}

// messageNew: a message appeared in a folder. Only in an inbox does that mean that it came in; elsewhere it was moved
// there or is an own copy.
func messageNew(e *event.Event, n *notice) {
	m := dataOf[message](n)
	switch {
	case !m.inInbox(&n.envelope):
		e.Type = event.MailboxMessageCreated
	case m.IsAutoReply == "true":
		e.Type = event.Autoresponded
	default:
		e.Type = event.Received
	}
	m.common(e, n)
	e.Sender = m.From.Value.Address.String()
	e.Subject = m.Subject.String()
	e.MessageID = wire.MessageID(m.MessageID)
	var to []string
	for _, a := range m.To {
		if a.Address != "" {
			to = append(to, a.Address.String())
		}
	}
	setRecipients(e, to)
	wire.SetMetadata(e, "inReplyTo", wire.Text(wire.MessageID(m.InReplyTo)))
	wire.SetMetadata(e, "seemsLikeNew", m.SeemsLikeNew)
	wire.SetMetadata(e, "category", m.Category)
	wire.SetMetadata(e, "isBounce", m.IsBounce)
	wire.SetMetadata(e, "isComplaint", m.IsComplaint)
}

func (m *message) inInbox(n *envelope) bool {
	return strings.EqualFold(n.Path.String(), "INBOX") ||
		n.SpecialUse == inboxUse ||
		m.MessageSpecialUse == inboxUse ||
		slices.Contains(m.Labels, inboxUse)
}

// common sets what identifies a message in a mailbox.
func (m *message) common(e *event.Event, n *notice) {
	e.ProviderMessageID = m.ID.String()
	setFolder(e, n, m.Path)
	wire.SetMetadata(e, "uid", m.UID)
	wire.SetMetadata(e, "emailId", m.EmailID)
	wire.SetMetadata(e, "threadId", m.ThreadID)
}

// mailboxMessage returns the converter of what happened to a message in a folder.
func mailboxMessage(t event.Type) func(*event.Event, *notice) {
	return func(e *event.Event, n *notice) {
		m := dataOf[message](n)
		e.Type = t
		m.common(e, n)
		wire.SetMetadata(e, "missingRetries", m.MissingRetries)
		wire.SetMetadata(e, "missingDelay", m.MissingDelay)
	}
}

type folder struct {
	Path            wire.Text `json:"path"`
	Name            wire.Text `json:"name"`
	SpecialUse      wire.Text `json:"specialUse"`
	UIDValidity     wire.Text `json:"uidValidity"`
	PrevUIDValidity wire.Text `json:"prevUidValidity"`
	Reason          wire.Text `json:"reason"`
}

// mailboxFolder returns the converter of what happened to a folder. A special use or a UIDVALIDITY that is not there is
// sent as false.
func mailboxFolder(t event.Type) func(*event.Event, *notice) {
	return func(e *event.Event, n *notice) {
		f := dataOf[folder](n)
		e.Type = t
		e.Reason = f.Reason.String()
		setFolder(e, n, f.Path)
		wire.SetMetadata(e, "name", f.Name)
		setUnlessFalse(e, "specialUse", f.SpecialUse)
		setUnlessFalse(e, "uidValidity", f.UIDValidity)
		setUnlessFalse(e, "prevUidValidity", f.PrevUIDValidity)
	}
}

// setFolder keeps the folder, which stands in the envelope, in the data, or in both.
func setFolder(e *event.Event, n *notice, path wire.Text) {
	wire.SetMetadata(e, "path", path)
	wire.SetMetadata(e, "path", n.Path)
	setUnlessFalse(e, "specialUse", n.SpecialUse)
}

func setUnlessFalse(e *event.Event, name string, value wire.Text) {
	if value != "false" {
		wire.SetMetadata(e, name, value)
	}
}
