package engagelab

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// The values of response.event.
const (
	open        = "open"
	click       = "click"
	unsubscribe = "unsubscribe"
	reportSpam  = "report_spam"
	route       = "route"
)

// common sets what all events share. The address in email_id is the recipient that the event is about, also where
// "to" says another.
func (c *callback) common(e *event.Event) {
	e.Sender = wire.First(c.Address("from"), c.data.Address("from"))
	e.Subject = wire.First(c.Text("subject"), c.data.Text("subject"))
	messageID, emailID := c.Text("message_id"), c.data.Text("email_id")
	wire.SetRecipients(e, c.Addresses("to"))
	if recipient := recipientOf(emailID); recipient != "" {
		e.Recipient = recipient
	}
	if len(e.Recipients) <= 1 {
		e.Recipients = nil // of those of the message nothing is known
	}
	e.ProviderMessageID = sendID(messageID)
	if recipientOf(messageID) == "" && recipientOf(emailID) != "" {
		e.ProviderMessageID = sendID(emailID)
	}
	wire.KeepDetails(e, c.data, "task_id", "api_user", "label_id")
	if to := c.Text("to"); wire.Address(to) != e.Recipient {
		wire.SetDetail(e, "to", to)
	}
}

// convertResponse reads what a recipient did, or a message that came in. The content of such a message stays in the raw event.
func (c *callback) convertResponse(e *event.Event) {
	d := c.data
	e.IP = d.Text("ip")
	e.URL = d.Text("url")
	e.Client = event.Client{
		Name: joined(d.Text("explorer_name"), d.Text("explorer_ver")),
		OS:   joined(d.Text("os_name"), d.Text("os_ver")),
	}
	switch wire.EventName(e.ProviderEvent) {
	case open:
		e.Type = event.Opened
	case click:
		e.Type = event.Clicked
	case unsubscribe:
		e.Type = event.Unsubscribed
	case reportSpam:
		e.Type = event.Complained
	case route:
		c.route(e)
	default:
		e.Type = event.Unknown
	}
}

// route reads a message that came in: "to" is a list of display names and addresses, and the message id is the provider's own.
func (c *callback) route(e *event.Event) {
	e.Type = event.Received
	wire.SetRecipients(e, c.Addresses("to"))
	e.ProviderMessageID = c.Text("message_id")
	wire.KeepDetails(e, c.Object, "to")
	wire.KeepDetails(e, c.data, "from_name", "reference", "raw_message_url", "x_mx_mailfrom", "x_mx_rcptto")
}

// recipientOf returns the address in "<send id><index>$<address>", "" when there is none.
func recipientOf(emailID string) string {
	_, address := cutIndex(emailID)
	return wire.Address(address)
}

// sendID returns the part of a message id that all recipients of one request share: what is before the index in
// "<send id><index>$<address>", or all of it where there is no address. The index follows a word without a separator; when the
// word ends in digits they are cut off with it, for every recipient alike.
func sendID(messageID string) string {
	prefix, address := cutIndex(messageID)
	if address == "" {
		return messageID
	}
	return withoutIndex(prefix)
}

// withoutIndex cuts off the digits that a send id ends in, unless there is nothing else.
func withoutIndex(id string) string { return wire.First(strings.TrimRight(id, "0123456789"), id) }

// cutIndex cuts "<send id><index>$<address>" at the first dollar behind a digit: an address may hold one, too.
func cutIndex(id string) (before, address string) {
	for i := 1; i < len(id); i++ {
		if id[i] == '$' && '0' <= id[i-1] && id[i-1] <= '9' {
			return id[:i], id[i+1:]
		}
	}
	return id, ""
}

// joined puts a name and its version together.
func joined(name, version string) string {
	return strings.TrimSpace(name + " " + version)
}
