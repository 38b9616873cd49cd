package brevo

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("the member event is missing, and it is no mail")

// item is one of the events of a body, or one of the mails.
type item struct{ wire.Item }

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	// ids are those of the events by their own names, firsts those of events that tell of a first time.
	ids, firsts wire.IDs
	// at is where the event of an id stands.
	at map[string]int
}

// Decode reads one event, a batch of them, or a list of mails that came in.
func (webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r, at: map[string]int{}}
	b.items(wire.Unwrap(r.Body), true)
	return b.Batch
}

// items reads the items of a body, of which one may be a list of mails, or those of such a list.
func (b *batch) items(body []byte, mayBeList bool) {
	for i, err := range wire.Items(body) {
		if err == nil {
			if mails := i.JSON("items"); mayBeList && strings.HasPrefix(mails, "[") && i.JSON("event") == "" {
				b.items([]byte(mails), false)
				continue
			}
			err = b.add(&item{i})
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: i.Sent, Reason: err.Error()})
		}
	}
}

func (b *batch) add(i *item) error {
	e := event.Event{Provider: Type, ProviderEvent: i.Text("event"), Raw: i.raw()}
	if e.ProviderEvent == "" {
		return b.mail(i, e)
	}
	i.time().SetTime(&e, b.request.ReceivedAt)
	i.convert(&e)
	// Without one in milliseconds there is a time in the account's zone, which nobody tells.
	e.TimeZoneAssumed = e.TimeZoneAssumed || !i.isUTC() && !e.TimeImplausible
	if err := i.Doubt(); err != nil {
		return err
	}
	b.keep(i, &e)
	return nil
}

// keyName is the member that holds the API key, or a part of it, with which a contact was changed. It is taken out.
const keyName = "key"

// raw returns what the event keeps of the item.
func (i *item) raw() jsontext.Value {
	if i.JSON(keyName) == "" {
		return i.Raw
	}
	return i.Rewrite(func(name, value string) string {
		if name == keyName {
			return ""
		}
		return value
	})
}

// keep adds an event under its id, which rests on all that the item says but for its name: the first open of a message is posted under two
// names where both are subscribed to, and is one event. Twins of one name are told apart.
func (b *batch) keep(i *item, e *event.Event) {
	name, isFirst := strings.CutPrefix(wire.EventName(e.ProviderEvent), "unique_")
	ids := &b.ids
	if isFirst {
		ids = &b.firsts
	}
	rest := i.Identity(wire.Member{Object: i.Object, Name: "event"}, wire.Member{Object: i.Object, Name: keyName})
	e.ID = ids.Unique(event.HashID(name, rest))
	at, known := b.at[e.ID]
	switch {
	case !known:
		b.at[e.ID] = len(b.Events)
		b.Events = append(b.Events, *e)
	case isFirst: // which says more
		b.Events[at] = *e
	}
}

// isUTC reports whether the time of an item is one in UTC, as those of campaigns are, and those in milliseconds.
func (i *item) isUTC() bool {
	return i.Text("camp_id") != "" || i.Text("ts_epoch") != "" || i.Text("s_epoch") != ""
}

// time returns when an event happened: to the millisecond where Brevo says so. One member has no other meaning under its misspelt name. "ts"
// is that of ts_event in another zone.
func (i *item) time() wire.Stamp {
	return wire.DateTime(wire.First(i.Text("ts_epoch"), i.Text("s_epoch"), i.Text("ts_event"), i.Text("ts"), i.Text("date")))
}
