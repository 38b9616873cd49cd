package amazonses

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// ownTag is what the names of tags begin with that Amazon SES adds to those of the sender, and ownHeader that of headers that are for it.
const (
	ownTag    = "ses:"
	ownHeader = "x-ses-"
	senders   = "x-"
)

// common sets what each event says of its message.
func (n *notice) common(e *event.Event) {
	mail := n.content.Object("mail")
	common := mail.Object("commonHeaders")
	e.ProviderMessageID = mail.Text("messageId")
	// A Message-ID is not in all events of a message.
	e.PartitionKey = e.ProviderMessageID
	e.Account = wire.First(mail.Text("sendingAccountId"), n.Item.Text("account"))
	e.Sender = mail.Address("source")
	e.Subject = common.Text("subject")
	e.MessageID = messageID(common.Text("messageId"), e.ProviderMessageID)
	wire.SetRecipients(e, mail.Addresses("destination"))
	wire.SetDetail(e, "notificationType", n.content.Text("notificationType"))
	wire.KeepDetails(e, mail, "sourceIp", "sourceArn", "callerIdentity")
	if truncated := mail.Text("headersTruncated"); truncated == "true" {
		wire.SetDetail(e, "headersTruncated", truncated)
	}
	tags := mail.Object("tags")
	for name := range tags.Members() {
		value := strings.Join(tags.Texts(name), ",")
		if strings.HasPrefix(name, ownTag) {
			wire.SetDetail(e, name, value)
		} else {
			wire.SetMetadata(e, name, value)
		}
	}
	if !n.kind.inbound {
		headers(e, mail.Objects("headers"))
	}
}

// headers reads the headers of a message that was sent: its Message-ID, and what the sender added.
func headers(e *event.Event, all []wire.Object) {
	for _, h := range all {
		name, value := h.Text("name"), h.Text("value")
		lower := strings.ToLower(name)
		switch {
		case lower == "message-id":
			e.MessageID = wire.First(messageID(value, e.ProviderMessageID), e.MessageID)
		case lower == "subject":
			e.Subject = wire.First(e.Subject, value)
		case strings.HasPrefix(lower, senders) && !strings.HasPrefix(lower, ownHeader):
			wire.SetMetadata(e, name, value)
		}
	}
}

// messageID returns a Message-ID. Where a message had none of its sender's, Amazon SES repeats its own id of the message, to which
// servers add a domain: that is no Message-ID.
func messageID(text, own string) string {
	id := wire.MessageID(text)
	if id == own {
		return ""
	}
	return id
}
