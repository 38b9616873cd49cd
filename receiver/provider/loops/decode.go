package loops

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoName = errors.New("the member eventName is missing")

// Decode reads the one object that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	return scheme.One(r, func(item wire.Item) (event.Event, error) {
		e := event.Event{Provider: Type, ProviderEvent: item.Text("eventName")}
		if e.ProviderEvent == "" {
			return e, errNoName
		}
		wire.Seconds(item.Text("eventTime")).SetTime(&e, r.ReceivedAt)
		read(&e, item.Object)
		return e, nil
	})
}

func read(e *event.Event, item wire.Object) {
	contact, email, list := item.Object("contactIdentity"), item.Object("email"), item.Object("mailingList")
	e.Recipient = contact.Address("email")
	e.Subject, e.ProviderMessageID = email.Text("subject"), email.Text("id")
	wire.SetDetail(e, "contactId", contact.Text("id"))
	wire.SetDetail(e, "mailingListId", list.Text("id"))
	wire.KeepDetails(e, contact, "userId")
	wire.KeepDetails(e, email, "emailMessageId")
	wire.KeepDetails(e, item, "sourceType", "campaignId", "loopId", "transactionalId")
	e.Type = event.Unknown
	if is, known := wire.Known(types(), e.ProviderEvent); known {
		e.Type = is
	}
	if e.Type == event.Bounced { // Loops says no more than that it is final
		e.Bounce = event.Bounce{Type: event.Hard, Category: event.CategoryOther}
	}
}

// types returns what is known of each event by its name. What bounced softly is tried again, and may still be delivered.
func types() map[string]event.Type {
	return map[string]event.Type{
		"testing.testEvent":        event.Test,
		"transactional.email.sent": event.Sent, "campaign.email.sent": event.Sent, "loop.email.sent": event.Sent,
		"email.delivered": event.Delivered, "email.softBounced": event.Deferred, "email.hardBounced": event.Bounced,
		"email.opened": event.Opened, "email.clicked": event.Clicked, "email.spamReported": event.Complained,
		"email.unsubscribed": event.Unsubscribed, "email.resubscribed": event.Resubscribed,
		"contact.unsubscribed": event.Unsubscribed, "contact.mailingList.unsubscribed": event.Unsubscribed, "contact.mailingList.subscribed": event.Resubscribed,
	}
}
