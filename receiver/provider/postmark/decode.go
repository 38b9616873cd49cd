package postmark

import (
	"errors"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoRecord = errors.New("neither RecordType nor a member that tells one is there")

// The values of RecordType.
const (
	delivery      = "Delivery"
	bounce        = "Bounce"
	spamComplaint = "SpamComplaint"
	opened        = "Open"
	clicked       = "Click"
	subscription  = "SubscriptionChange"
	inbound       = "Inbound"
)

// record is what a request holds.
type record struct {
	wire.Item

	// received is the mail that came in, where it is one.
	received mime.Message
}

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
	reports mime.ReportBudget
}

// Decode reads the record that a request holds. An array of records is taken as well, though Postmark documents none.
func (webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r}
	for item, err := range wire.Items(r.Body) {
		if err == nil {
			err = b.add(&record{Item: item})
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: item.Sent, Reason: err.Error()})
		}
	}
	return b.Batch
}

func (b *batch) add(r *record) error {
	e := event.Event{Provider: Type, ProviderEvent: r.name(), Raw: r.Raw}
	if e.ProviderEvent == "" {
		return errNoRecord
	}
	at := wire.First(r.Text("BouncedAt"), r.Text("DeliveredAt"), r.Text("ReceivedAt"), r.Text("ChangedAt"))
	wire.DateTime(at).SetTime(&e, b.request.ReceivedAt)
	r.common(&e)
	r.convert(&e)
	if r.isTest(&e) {
		e.Type = event.Test
	}
	if err := r.Doubt(); err != nil {
		return err
	}
	// The ID of a bounce is known only of bounces, and one message has many other events.
	e.ID = b.ids.Unique(r.Identity())
	reports := r.received.Reports(&e, &b.reports)
	b.Events = append(append(b.Events, e), reports...)
	return nil
}

// name returns the RecordType, or what it would be: received mail has none, nor had the bodies of the first webhooks; "" = it is none
// of these.
func (r *record) name() string {
	switch {
	case r.Text("RecordType") != "":
		return r.Text("RecordType")
	case r.JSON("FromFull") != "":
		return inbound
	case r.Text("BouncedAt") != "":
		return bounce
	case r.Text("DeliveredAt") != "":
		return delivery
	case r.Text("ReceivedAt") != "" && r.Text("OriginalLink") != "":
		return clicked
	case r.Text("ReceivedAt") != "":
		return opened
	default:
		return ""
	}
}

// common sets what all records share.
func (r *record) common(e *event.Event) {
	e.Recipient = wire.First(r.Address("Email"), r.Address("Recipient"))
	e.Subject = r.Text("Subject")
	e.ProviderMessageID = r.Text("MessageID")
	e.Account = wire.First(r.Text("ServerID"), r.Text("ServerId"))
	if tag := r.Text("Tag"); tag != "" {
		e.Tags = []string{tag}
	}
	for name, text := range r.Object.Object("Metadata").Members() {
		wire.SetMetadata(e, name, text)
	}
	wire.KeepDetails(e, r.Object, "MessageStream")
}

func (r *record) convert(e *event.Event) {
	known := func(name string) bool { return strings.EqualFold(e.ProviderEvent, name) }
	switch {
	case known(delivery):
		e.Type = event.Delivered
		r.reply(e)
	case known(bounce):
		r.bounce(e)
	case known(spamComplaint):
		r.bounce(e)
		e.Type, e.Bounce, e.Reject = event.Complained, event.Bounce{}, event.Reject{}
	case known(opened):
		e.Type = event.Opened
		r.engagement(e)
	case known(clicked):
		e.Type = event.Clicked
		r.engagement(e)
	case known(subscription):
		r.subscription(e)
	case known(inbound):
		r.inbound(e)
	default:
		e.Type = event.Unknown
	}
}

// reply reads a server's own words.
func (r *record) reply(e *event.Event) {
	e.Diagnostic = r.Text("Details")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
}

// noMessage is the MessageID of what is about no message.
const noMessage = "00000000-0000-0000-0000-000000000000"

// isTest reports whether a record is one of those that the buttons "Test" and "Check" send: it is about no message, and about a
// recipient whom there cannot be (RFC 2606 section 3). A change of a suppression by hand is about no message either.
func (r *record) isTest(e *event.Event) bool {
	domain := e.Recipient[strings.LastIndexByte(e.Recipient, '@')+1:]
	return e.ProviderMessageID == noMessage && (domain == "example.com" || domain == "example.org" || domain == "example.net")
}
