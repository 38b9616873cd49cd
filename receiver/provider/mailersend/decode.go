package mailersend

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoType = errors.New("the member type is missing")

// The members that all bodies share. The URL is that of the endpoint, and ends with its token or begins with its password.
const (
	typeName = "type"
	dataName = "data"
	urlName  = "url"
)

// item is one event, or a mail.
type item struct {
	wire.Item
	// data is what the event says, and about the part of it that is special to its type: its name is "morph" in the first version of
	// the bodies, and "meta" in the second.
	data, about wire.Object
	// received is the mail that came in, where it is one.
	received mime.Message
}

// Decode reads the one event, or the one mail, that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	var b provider.Batch
	err := wire.Single(r.Body, func(sent wire.Item) error {
		i := &item{Item: sent, data: sent.Object.Object(dataName)}
		if i.about = i.data.Object("morph"); !strings.HasPrefix(i.data.JSON("morph"), "{") {
			i.about = i.data.Object("meta")
		}
		e, err := i.event(r)
		if err != nil {
			return err
		}
		reports := i.received.Reports(&e, new(mime.ReportBudget))
		b.Events = append(append(b.Events, e), reports...)
		return nil
	})
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: wire.Trim(r.Body), Reason: err.Error()}}}
	}
	return b
}

func (i *item) event(r *provider.Request) (event.Event, error) {
	e := event.Event{Provider: Type, ProviderEvent: i.Text(typeName), Raw: i.raw()}
	if e.ProviderEvent == "" {
		return e, errNoType
	}
	// The time beside the data is that of the request in the first version, which has another one within.
	wire.DateTime(wire.First(i.data.Text("created_at"), i.Text("created_at"))).SetTime(&e, r.ReceivedAt)
	if e.Account = i.Text("domain_id"); e.Account == "" {
		e.Account = i.data.Text("domain_id")
	}
	wire.KeepDetails(&e, i.Object, "webhook_id", "inbound_id")
	i.convert(&e)
	e.ProviderEventID = i.data.Text("id")
	e.ID = i.id(&e)
	return e, nil
}

// raw returns what an event keeps of the item: all but the endpoint's URL, which may hold a credential.
func (i *item) raw() jsontext.Value {
	if i.JSON(urlName) == "" {
		return i.Raw
	}
	return i.Rewrite(func(name, value string) string {
		if name == urlName {
			return ""
		}
		return value
	})
}

// unique is behind the name of an event that tells of the first open or click, of which there is one without it as well.
const unique = "_unique"

// id returns an id that rests on the event's own, and its name: MailerSend does not say that no other event has it. The two events of a
// first open, or click, are one fact: what they share is the open, which has an id and says when, where and what.
func (i *item) id(e *event.Event) string {
	name := strings.TrimSuffix(wire.EventName(e.ProviderEvent), unique)
	isEngagement := e.Type == event.Opened || e.Type == event.Clicked
	switch {
	case isEngagement && i.about.Text("id") != "":
		return event.HashID(name, i.about.Text("id"), i.about.Text("created_at"), i.about.Text("ip"), i.about.Text("url"))
	case e.ProviderEventID != "":
		return event.HashID(name, e.ProviderEventID)
	default:
		return i.Identity(wire.Member{Object: i.Object, Name: urlName})
	}
}

// types returns what is known of each event by its name. What is not listed, such as the end of a maintenance, is unknown.
func types() map[string]event.Type {
	return map[string]event.Type{
		"activity.sent": event.Sent, "activity.delivered": event.Delivered, "activity.deferred": event.Deferred,
		"activity.soft_bounced": event.Bounced, "activity.hard_bounced": event.Bounced, "activity.suppressed": event.Rejected,
		"activity.opened": event.Opened, "activity.opened" + unique: event.Opened,
		"activity.clicked": event.Clicked, "activity.clicked" + unique: event.Clicked,
		"activity.unsubscribed": event.Unsubscribed, "activity.spam_complaint": event.Complained,
		"inbound.message": event.Received, ping: event.Test,
	}
}

func (i *item) convert(e *event.Event) {
	is, known := wire.Known(types(), e.ProviderEvent)
	switch {
	case !known:
		e.Type = event.Unknown
		i.activity(e)
	case is == event.Received:
		e.Type = is
		i.inbound(e)
	default:
		e.Type = is
		i.activity(e)
	}
}
