package mailtrap

import (
	"errors"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errList = errors.New("events must be a list, in the outermost object of the body")

// item is one event.
type item struct{ wire.Item }

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
}

// Decode reads the events that a request holds: a list within an object, one event on each line, or one event by itself.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r}
	whole := len(wire.Trim(r.Body))
	for i, err := range wire.Lines(r.Body) {
		switch {
		case err != nil:
			b.refuse(i, err)
		case len(i.Sent) == whole && strings.HasPrefix(i.JSON("events"), "["):
			b.list(i)
		default:
			b.add(i)
		}
	}
	return b.Batch
}

func (b *batch) refuse(i wire.Item, err error) {
	b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: i.Sent, Reason: err.Error()})
}

// list reads the events of the object that is the body.
func (b *batch) list(outer wire.Item) {
	events := []byte(outer.JSON("events"))
	if err := outer.Doubt(); err != nil {
		b.refuse(outer, err)
		return
	}
	for i, err := range wire.Items(events) {
		if err != nil {
			b.refuse(i, err)
			continue
		}
		b.add(i)
	}
}

// add reads an event. What Mailtrap posts of mail that came in, campaigns and its audit log has shapes that are not documented, and
// maybe no name.
func (b *batch) add(sent wire.Item) {
	i := &item{sent}
	if i.JSON("events") != "" {
		b.refuse(sent, errList)
		return
	}
	e := event.Event{Provider: Type, ProviderEvent: i.Text("event"), Raw: i.Raw}
	wire.Seconds(i.Text("timestamp")).SetTime(&e, b.request.ReceivedAt)
	i.common(&e)
	i.convert(&e)
	if err := i.Doubt(); err != nil {
		b.refuse(sent, err)
		return
	}
	e.ID = b.ids.Unique(i.id(&e))
	b.Events = append(b.Events, e)
}

// id returns the event's own id, with its name: samples of different events share one. An item without one is told apart by all that it says.
func (i *item) id(e *event.Event) string {
	if e.ProviderEventID = i.Text("event_id"); e.ProviderEventID != "" {
		return event.HashID(e.ProviderEventID, wire.EventName(e.ProviderEvent))
	}
	return i.Identity()
}

// common sets what all events share.
func (i *item) common(e *event.Event) {
	e.Recipient = i.Address("email")
	e.ProviderMessageID = i.Text("message_id")
	if category := i.Text("category"); category != "" {
		e.Tags = []string{category}
	}
	for name, text := range i.Object.Object("custom_variables").Members() {
		wire.SetMetadata(e, name, text)
	}
	e.URL, e.IP, e.UserAgent = i.Text("url"), i.Text("ip"), i.Text("user_agent")
	e.Reason, e.Diagnostic = i.Text("reason"), i.Text("response")
	e.EnhancedCode = wire.EnhancedCode(e.Diagnostic)
	if code, enhanced := wire.SMTPReply(e.Diagnostic); code != 0 {
		e.SMTPCode, e.EnhancedCode = code, enhanced
	}
	if code := wire.SMTPCode(i.Text("response_code")); code != 0 {
		e.SMTPCode = code
	}
	wire.KeepDetails(e, i.Object, "sending_stream", "sending_domain_name", "bounce_category")
}

func (i *item) convert(e *event.Event) {
	is, known := wire.Known(types(), e.ProviderEvent)
	if !known {
		is = event.Unknown
	}
	e.Type = is
	if is == event.Bounced {
		i.bounce(e)
	}
	if is == event.Rejected {
		e.Reject.Reason = rejection(e.Reason)
	}
}

// types returns what is known of each event by its name. Mailtrap tries again after a soft bounce, and when the account's limit allows it.
func types() map[string]event.Type {
	return map[string]event.Type{
		"delivery": event.Delivered, "soft bounce": event.Deferred, "bounce": event.Bounced, "suspension": event.Deferred, "reject": event.Rejected,
		"spam": event.Complained, "spam complaint": event.Complained, "unsubscribe": event.Unsubscribed, "open": event.Opened, "click": event.Clicked,
	}
}

// bounce reads that a message was given up. One that was refused for what it is, or for where it came from, says nothing of the address.
func (i *item) bounce(e *event.Event) {
	category := wire.EventName(i.Text("bounce_category"))
	e.Bounce.Category = wire.First(category, refusal.Category(e))
	switch {
	case category == event.CategorySpam, category == event.CategoryPolicy, category == event.CategoryReputation, category == event.CategoryContent:
		e.Bounce.Type = event.Soft
	case e.EnhancedCode != "":
		e.Bounce.Type = refusal.Classify(e).Type
	default:
		e.Bounce.Type = event.Hard
	}
}

// rejection returns why Mailtrap did not send a message, which it says in words.
func rejection(reason string) event.RejectReason {
	reason = strings.ToLower(reason)
	for _, known := range []struct {
		word string
		is   event.RejectReason
	}{{"unsubscri", event.UnsubscribedAddress}, {"bounce", event.SuppressedBounce}, {"spam", event.SuppressedComplaint}} {
		if strings.Contains(reason, known.word) {
			return known.is
		}
	}
	return event.OtherReason
}
