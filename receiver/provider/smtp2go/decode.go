package smtp2go

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("the member event is missing")

// recipientsName is the member that holds the addresses of the message, and authName the one that holds the SMTP user, the IP address or the
// API key that it was sent with: a credential, which is taken out.
const (
	recipientsName = "recipients"
	authName       = "auth"
)

// item is one event.
type item struct{ wire.Item }

// Decode reads the one event that a request holds, as JSON or as a form.
func (webhook) Decode(r *provider.Request) provider.Batch {
	var b provider.Batch
	body, f, err := read(r)
	if err == nil {
		err = wire.Single(body, func(sent wire.Item) error {
			e, err := (&item{sent}).event(r, f)
			b.Events = append(b.Events, e)
			return err
		})
	}
	if err == nil {
		return b
	}
	raw := []byte(wire.Trim(r.Body))
	if f != nil {
		raw = r.Body
	}
	return provider.Batch{Undecodable: []provider.Undecodable{{Raw: raw, Reason: err.Error()}}}
}

func (i *item) event(r *provider.Request, f *form.Form) (event.Event, error) {
	e := event.Event{Provider: Type, ProviderEvent: i.Text("event"), Raw: i.raw(f)}
	if e.ProviderEvent == "" {
		return e, errNoEvent
	}
	wire.DateTime(i.Text("time")).SetTime(&e, r.ReceivedAt)
	i.message(&e)
	i.convert(&e)
	i.rest(&e)
	// An event has no id, and a time in seconds: "id" is that of the webhook.
	e.ID = i.Identity(wire.Member{Object: i.Object, Name: authName})
	return e, nil
}

// raw returns what the event keeps of the item, or of the form that it was made of.
func (i *item) raw(f *form.Form) jsontext.Value {
	switch {
	case f != nil:
		return f.Raw(authName)
	case i.JSON(authName) == "":
		return i.Raw
	}
	return i.Rewrite(func(name, value string) string {
		if name == authName {
			return ""
		}
		return value
	})
}

// message sets what the message is, and to whom.
func (i *item) message(e *event.Event) {
	wire.SetRecipients(e, i.Addresses(recipientsName))
	if recipient := i.Address("rcpt"); recipient != "" {
		e.Recipient = recipient
	}
	if len(e.Recipients) == 1 {
		e.Recipients = nil
	}
	e.Sender = wire.First(i.Address("from_address"), i.Address("from"))
	e.Subject, e.MessageID, e.ProviderMessageID = i.Text("subject"), wire.MessageID(i.Text("message-id")), i.Text("email_id")
}

// types returns what is known of each event by its name. What is not listed, such as the events of text messages, is unknown.
func types() map[string]event.Type {
	return map[string]event.Type{
		"processed": event.Accepted, "delivered": event.Delivered, "bounce": event.Bounced, "reject": event.Rejected,
		"open": event.Opened, "click": event.Clicked, "spam": event.Complained, "unsubscribe": event.Unsubscribed, "resubscribe": event.Resubscribed,
	}
}

func (i *item) convert(e *event.Event) {
	is, known := wire.Known(types(), e.ProviderEvent)
	if !known || i.JSON("destination_number") != "" { // a text message may be delivered as well
		e.Type = event.Unknown
		return
	}
	e.Type = is
	message := strings.TrimSpace(i.Text("message"))
	switch is {
	case event.Delivered, event.Bounced:
		e.Diagnostic = message
		e.SMTPCode, e.EnhancedCode = wire.SMTPReply(message)
		e.EnhancedCode = wire.First(e.EnhancedCode, wire.EnhancedCode(message))
	default:
		e.Reason = message
	}
	switch is {
	case event.Bounced:
		i.bounce(e)
	case event.Rejected:
		e.Reject.Reason = rejection(message)
	case event.Opened, event.Clicked, event.Unsubscribed, event.Resubscribed, event.Complained:
		i.engagement(e)
	default:
	}
}

// bounce takes SMTP2GO's word for whether a bounce is hard, and without one that of the server.
func (i *item) bounce(e *event.Event) {
	e.Bounce.Category = refusal.Category(e)
	switch wire.EventName(i.Text("bounce")) {
	case "hard":
		e.Bounce.Type = event.Hard
	case "soft":
		e.Bounce.Type = event.Soft
	default:
		e.Bounce.Type = refusal.Classify(e).Type
	}
}

// rejection returns why SMTP2GO did not send a message, which it says in words: the address is on the list of suppressions, or the
// sender's is not verified.
func rejection(message string) event.RejectReason {
	message = strings.ToLower(message)
	for _, known := range []struct {
		word string
		is   event.RejectReason
	}{
		{"unsubscri", event.UnsubscribedAddress},
		{"spam", event.SuppressedComplaint},
		{"complain", event.SuppressedComplaint},
		{"bounce", event.SuppressedBounce},
		{"suppress", event.SuppressedBounce},
		{"verif", event.UnverifiedAddress},
	} {
		if strings.Contains(message, known.word) {
			return known.is
		}
	}
	return event.OtherReason
}

// engagement reads what a recipient did, and with what. Of other events srchost is who has sent the message.
func (i *item) engagement(e *event.Event) {
	e.URL, e.IP, e.UserAgent = i.Text("url"), i.Text("srchost"), i.Text("user-agent")
	e.Client = event.Client{Name: i.Text("client"), OS: i.Text("client-os")}
}

// rest keeps what has no field of its own: SMTP2GO's as details, and what is not known to be that as metadata. A webhook may be told to pass
// header fields of the message on, each under its name.
func (i *item) rest(e *event.Event) {
	for name, text := range i.Members() {
		switch kindOf(name) {
		case isRead:
		case isDetail:
			wire.SetDetail(e, name, text)
		case isSent:
			wire.SetMetadata(e, name, text)
		}
	}
	if e.IP == "" {
		wire.KeepDetails(e, i.Object, "srchost")
	}
}

// kind says whose a member is.
type kind int

const (
	isSent   kind = iota // the sender's
	isDetail             // SMTP2GO's
	isRead               // read into a field of its own
)

func kindOf(name string) kind {
	switch name {
	case "event", "time", "from", "from_address", "rcpt", recipientsName, authName, "subject", "message-id", "email_id", "message", "bounce",
		"url", "srchost", "user-agent", "client", "client-os":
		return isRead
	case "sendtime", "sender", "from_name", "id", "host", "context", "read-secs", "client-device", "subaccount_id",
		"destination_number", "message_id", "status_code":
		return isDetail
	default:
		if strings.HasPrefix(name, "geoip-") {
			return isDetail
		}
		return isSent
	}
}
