package microsoftgraph

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// notice is one notification.
type notice struct {
	*wire.Item

	data wire.Object
}

// changes returns what a change of a message is, by the name of the change.
func changes() map[string]event.Type {
	return map[string]event.Type{"created": event.MailboxMessageCreated, "updated": event.MailboxMessageUpdated, "deleted": event.MailboxMessageDeleted}
}

// lifecycle returns what Graph says of a subscription. That notifications were lost says that something in the mailbox is new, and no more.
func lifecycle() map[string]event.Type {
	return map[string]event.Type{
		"reauthorizationRequired": event.AccountAuthFailed, "subscriptionRemoved": event.AccountStatusChanged, "missed": event.MailboxChanged,
	}
}

// event returns what a notification says without its resource.
func (n *notice) event(inbox bool) (event.Event, error) {
	e := event.Event{Type: event.Unknown, Provider: Type, ProviderEventID: n.Text("id")}
	table := changes()
	e.ProviderEvent = n.Text("changeType")
	if name := n.Text("lifecycleEvent"); name != "" {
		e.ProviderEvent, table = name, lifecycle()
	} else if !n.isMessage() {
		table = nil
	}
	if e.ProviderEvent == "" {
		return event.Event{}, errNoName
	}
	if t, known := wire.Known(table, e.ProviderEvent); known {
		e.Type = t
	}
	if inbox && e.Type == event.MailboxMessageCreated {
		e.Type = event.Received
	}
	e.Account = wire.First(user(n.Text("resource")), user(n.data.Text("@odata.id")), n.Text("tenantId"))
	if e.ProviderMessageID = n.data.Text("id"); e.ProviderMessageID != "" {
		e.PartitionKey = e.Account + "/" + e.ProviderMessageID
	}
	wire.KeepDetails(&e, n.Object, "subscriptionId", "subscriptionExpirationDateTime", "tenantId", "resource")
	wire.SetDetail(&e, "etag", n.data.Text("@odata.etag"))
	return e, nil
}

// isMessage reports whether a change is one of a message, as far as the notification says of what it is.
func (n *notice) isMessage() bool {
	kind := n.data.Text("@odata.type")
	return kind == "" || strings.EqualFold(strings.TrimPrefix(kind, "#"), "microsoft.graph.message")
}

// resource reads the message of a notification that holds it, as far as the subscription has selected it.
func (n *notice) resource(e *event.Event, o wire.Object, r *provider.Request) {
	at := []string{o.Text("lastModifiedDateTime"), o.Text("receivedDateTime")}
	if e.Type == event.Received || e.Type == event.MailboxMessageCreated {
		at = []string{o.Text("receivedDateTime"), o.Text("createdDateTime"), o.Text("lastModifiedDateTime")}
	}
	wire.DateTime(wire.First(at...)).SetTime(e, r.ReceivedAt)
	if !n.isMessage() {
		return
	}
	from, to := people(o.Object("from")), people(o.Objects("toRecipients")...)
	cc, bcc := people(o.Objects("ccRecipients")...), people(o.Objects("bccRecipients")...)
	e.Sender, e.Subject = wire.First(mime.Addresses(from)...), o.Text("subject")
	e.MessageID = wire.MessageID(o.Text("internetMessageId"))
	wire.SetRecipients(e, mime.Addresses(to), mime.Addresses(cc), mime.Addresses(bcc))
	wire.KeepDetails(e, o, "receivedDateTime", "sentDateTime", "conversationId", "parentFolderId", "isRead", "isDraft", "importance", "hasAttachments", "bodyPreview")
	wire.SetDetailList(e, "categories", o.Texts("categories"))
	if e.Type != event.Received {
		return
	}
	m := mail(o)
	m.From, m.To, m.Cc, m.ReplyTo = from, to, cc, people(o.Objects("replyTo")...)
	e.Mail, e.Truncated = &m.Mail, e.Truncated || m.Truncated
}

// mail returns the body and the place of a message. Header fields are there where the subscription has selected them.
func mail(o wire.Object) *mime.Message {
	m := &mime.Message{}
	fields := o.Objects("internetMessageHeaders")
	m.Thread(func(name string) string {
		for _, field := range fields {
			if strings.EqualFold(field.Text("name"), name) {
				return field.Text("value")
			}
		}
		return ""
	})
	if sent, ok := wire.DateTime(o.Text("sentDateTime")).Time(); ok {
		m.Date = sent
	}
	body := o.Object("body")
	if strings.EqualFold(body.Text("contentType"), "html") {
		m.SetText("", body.Text("content"))
	} else {
		m.SetText(body.Text("content"), "")
	}
	return m
}

// people returns the mailboxes of recipients.
func people(recipients ...wire.Object) []event.Mailbox {
	var boxes []event.Mailbox
	for _, recipient := range recipients {
		o := recipient.Object("emailAddress")
		if address := o.Address("address"); address != "" && len(boxes) <= wire.MaxRecipients {
			boxes = append(boxes, event.Mailbox{Address: address, Name: o.Text("name")})
		}
	}
	return boxes
}
