package customerio

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoMetric = errors.New("the member metric is missing")

// The values of object_type of which more is read than what all share. Others are text messages, pushes and the like.
const (
	email    = "email"
	customer = "customer"
)

// item is one event, and what it is about.
type item struct {
	wire.Item
	data wire.Object
}

// Decode reads the one event that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	var b provider.Batch
	err := wire.Single(r.Body, func(sent wire.Item) error {
		i := &item{Item: sent, data: sent.Object.Object("data")}
		e := event.Event{Provider: Type, ProviderEvent: i.Text("metric"), Raw: i.Raw}
		if e.ProviderEvent == "" {
			return errNoMetric
		}
		wire.Seconds(i.Text("timestamp")).SetTime(&e, r.ReceivedAt)
		i.common(&e)
		i.convert(&e)
		// event_id is the same over attempts.
		if e.ProviderEventID = i.Text("event_id"); e.ProviderEventID != "" {
			e.ID = event.HashID(e.ProviderEventID)
		} else {
			e.ID = i.Identity()
		}
		b.Events = append(b.Events, e)
		return nil
	})
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: wire.Trim(r.Body), Reason: err.Error()}}}
	}
	return b
}

// common sets what all events share.
func (i *item) common(e *event.Event) {
	d := i.data
	e.Recipient = wire.First(d.Address("recipient"), d.Object("identifiers").Address("email"))
	e.Subject = d.Text("subject")
	e.ProviderMessageID = d.Text("delivery_id")
	e.URL = d.Text("href")
	e.Reason = d.Text("failure_message")
	wire.KeepDetails(e, i.Object, "object_type")
	wire.KeepDetails(e, d, "customer_id", "campaign_id", "action_id", "broadcast_id", "newsletter_id", "transactional_message_id", "content_id",
		"journey_id", "trigger_id", "trigger_event_id", "link_id")
}

func (i *item) convert(e *event.Event) {
	var known bool
	switch wire.EventName(i.Text("object_type")) {
	case email:
		e.Type, known = wire.Known(emails(), e.ProviderEvent)
	case customer:
		e.Type, known = wire.Known(customers(), e.ProviderEvent)
	}
	switch {
	case !known:
		e.Type = event.Unknown
	case e.Type == event.Bounced:
		i.bounce(e)
	case e.Type == event.Rejected && wire.EventName(e.ProviderEvent) == "undeliverable":
		e.Reject.Reason = event.PolicyViolation
	case e.Type == event.Rejected:
		e.Reject.Reason = event.OtherReason
	}
}

// emails returns what is known of each metric of an email. What was attempted will be again.
func emails() map[string]event.Type {
	return map[string]event.Type{
		"attempted": event.Deferred, "sent": event.Sent, "delivered": event.Delivered, "bounced": event.Bounced, "dropped": event.Rejected,
		"undeliverable": event.Rejected, "failed": event.Failed, "opened": event.Opened, "clicked": event.Clicked, "spammed": event.Complained,
		"unsubscribed": event.Unsubscribed,
	}
}

// customers returns what is known of each metric of a person.
func customers() map[string]event.Type {
	return map[string]event.Type{"subscribed": event.Resubscribed, "unsubscribed": event.Unsubscribed}
}

// bounce reads that a message was given up, which is final unless the server's words say something else.
func (i *item) bounce(e *event.Event) {
	e.Diagnostic = e.Reason
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	if e.EnhancedCode == "" {
		e.EnhancedCode = wire.EnhancedCode(e.Diagnostic)
	}
	e.Bounce = event.Bounce{Type: refusal.Classify(e).Type, Category: refusal.Category(e)}
	if e.Bounce.Type == event.Undetermined {
		e.Bounce.Type = event.Hard
	}
}
