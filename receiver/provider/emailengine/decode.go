package emailengine

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("the member event is missing")

// notice is one event on its way: the envelope that every event has, and its data. When the data is absent or no object, the
// event still tells its name, account and time.
type notice struct {
	wire.Item
	data wire.Object
	date wire.Stamp
}

// Decode reads what a request holds: one event, and beside a mail that is a delivery report the event that it reports.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	var events []event.Event
	err := wire.Single(r.Body, func(item wire.Item) error {
		n := notice{Item: item, data: item.Object.Object("data"), date: wire.DateTime(item.Text("date"))}
		e, err := decode(n, r)
		if err != nil {
			return err
		}
		events = []event.Event{e}
		if report, ok := reported(&e, n); ok {
			events = append(events, report)
		}
		return nil
	})
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	return provider.Batch{Events: events}
}

func decode(n notice, r *provider.Request) (event.Event, error) {
	name := n.Text("event")
	if name == "" {
		return event.Event{}, errNoEvent
	}
	e := event.Event{Type: event.Unknown, Provider: Type, ProviderEvent: name, Account: n.Text("account"), Raw: withoutPassword(n)}
	wire.KeepDetails(&e, n.Object, "serviceUrl")
	n.date.SetTime(&e, r.ReceivedAt)
	if convert, known := wire.Known(converters, name); known {
		convert(&e, n)
	}
	identify(&e, n, r)
	return e, nil
}

// withoutPassword returns the raw notice without the credentials of a proxy, which older versions send along.
func withoutPassword(n notice) jsontext.Value {
	scheme, rest, _ := strings.Cut(n.data.Object("networkRouting").Text("proxy"), "://")
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return n.Raw
	}
	bare := wire.Quote(scheme + "://" + rest[at+1:])
	return wire.Edit(n.Raw, func(pointer jsontext.Pointer, _ jsontext.Token) string {
		if pointer == "/data/networkRouting/proxy" {
			return bare
		}
		return ""
	})
}
