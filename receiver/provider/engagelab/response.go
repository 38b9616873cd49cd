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

// response is what a recipient did, or a message that came in.
type response struct {
	Event wire.Text         `json:"event"`
	Data  wire.Object[data] `json:"response_data"`
}

// data is status_data or response_data. The content of a message that came in stays in the raw event.
type data struct {
	TaskID   wire.Text  `json:"task_id"`
	APIUser  wire.Text  `json:"api_user"`
	LabelID  wire.Text  `json:"label_id"`
	EmailID  wire.Text  `json:"email_id"`
	EmailIDs wire.Texts `json:"email_ids"`
	Tos      wire.Texts `json:"tos"`
	From     wire.Text  `json:"from"`
	Subject  wire.Text  `json:"subject"`

	IP           wire.Text `json:"ip"`
	URL          wire.Text `json:"url"`
	ExplorerName wire.Text `json:"explorer_name"`
	ExplorerVer  wire.Text `json:"explorer_ver"`
	OSName       wire.Text `json:"os_name"`
	OSVer        wire.Text `json:"os_ver"`

	FromName      wire.Text `json:"from_name"`
	Reference     wire.Text `json:"reference"`
	RawMessageURL wire.Text `json:"raw_message_url"`
	MailFrom      wire.Text `json:"x_mx_mailfrom"`
	RcptTo        wire.Text `json:"x_mx_rcptto"`
}

// common sets what all events share. The address in email_id is the recipient that the event is about, also where
// "to" says another.
func (c *callback) common(e *event.Event, d *data) {
	e.Sender = wire.Address(wire.First(c.From, d.From))
	e.Subject = wire.First(c.Subject, d.Subject)
	e.Recipient = wire.First(wire.Text(recipientOf(d.EmailID.String())), c.To)
	e.ProviderMessageID = sendID(c.MessageID.String())
	wire.SetMetadata(e, "task_id", d.TaskID)
	wire.SetMetadata(e, "api_user", d.APIUser)
	wire.SetMetadata(e, "label_id", d.LabelID)
	if c.To.String() != e.Recipient {
		wire.SetMetadata(e, "to", c.To)
	}
}

// response fills an event from a response.
func (c *callback) response(e *event.Event) {
	r := &c.Response.Value
	d := &r.Data.Value
	e.ProviderEvent = r.Event.String()
	c.common(e, d)
	e.IP = d.IP.String()
	e.URL = d.URL.String()
	e.Client = event.Client{Name: joined(d.ExplorerName, d.ExplorerVer), OS: joined(d.OSName, d.OSVer)}
	switch r.Event {
	case open:
		e.Type = event.Opened
	case click:
		e.Type = event.Clicked
	case unsubscribe:
		e.Type = event.Unsubscribed
	case reportSpam:
		e.Type = event.Complained
	case route:
		c.route(e, d)
	default:
		e.Type = event.Unknown
	}
}

// route reads a message that came in: "to" is a list of display names and addresses, and the message id is the provider's own.
func (c *callback) route(e *event.Event, d *data) {
	e.Type = event.Received
	e.Recipient = ""
	for entry := range strings.SplitSeq(c.To.String(), ";") {
		if address := wire.Address(entry); address != "" {
			e.Recipients = append(e.Recipients, address)
		}
	}
	if len(e.Recipients) == 1 {
		e.Recipient = e.Recipients[0]
	}
	e.ProviderMessageID = c.MessageID.String()
	wire.SetMetadata(e, "to", c.To)
	wire.SetMetadata(e, "from_name", d.FromName)
	wire.SetMetadata(e, "reference", d.Reference)
	wire.SetMetadata(e, "raw_message_url", d.RawMessageURL)
	wire.SetMetadata(e, "x_mx_mailfrom", d.MailFrom)
	wire.SetMetadata(e, "x_mx_rcptto", d.RcptTo)
}

// recipientOf returns the address in "<send id><index>$<address>", "" when there is none.
func recipientOf(emailID string) string {
	_, address, _ := cutLast(emailID, "$")
	return address
}

// sendID returns the part of a message id that all recipients of one request share: what is before the index in
// "<send id><index>$<address>". The index follows a word without a separator; when the word ends in digits they are
// cut off with it, for every recipient alike.
func sendID(messageID string) string {
	prefix, _, found := cutLast(messageID, "$")
	if !found {
		return messageID
	}
	return strings.TrimRight(prefix, "0123456789")
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// joined puts a name and its version together.
func joined(name, version wire.Text) string {
	return strings.TrimSpace(name.String() + " " + version.String())
}
