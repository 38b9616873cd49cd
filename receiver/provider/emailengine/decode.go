package emailengine

import (
	"errors"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// maxHeaderID is the length, in bytes, of an id that is taken from an unsigned header; a UUID has 36.
const maxHeaderID = 128

var errNoEvent = errors.New("the member event is missing")

// notice is one event on its way: the envelope that every event has, and its data. When the data is absent or no object, the
// event still tells its name, account and time.
type notice struct {
	wire.Item
	data wire.Object
}

// Decode reads the one event that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	events := make([]event.Event, 1)
	err := wire.Single(r.Body, func(item wire.Item) error { return decode(&events[0], item, r) })
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	return provider.Batch{Events: events}
}

func decode(e *event.Event, item wire.Item, r *provider.Request) error {
	n := notice{Item: item, data: item.Object.Object("data")}
	name := n.Text("event")
	if name == "" {
		return errNoEvent
	}
	e.Type = event.Unknown
	e.Provider = Type
	e.ProviderEvent = name
	e.Account = n.Text("account")
	e.Raw = n.Raw
	wire.KeepDetails(e, n.Object, "serviceUrl")
	wire.DateTime(n.Text("date")).SetTime(e, r.ReceivedAt)
	if convert, known := converters[name]; known {
		convert(e, n)
	}
	identify(e, n, r)
	return nil
}

// identify sets the ids. The event id of the header is the same for every attempt, but it is not signed: whoever holds a
// captured request could vary it, so the body identifies the event as well.
func identify(e *event.Event, n notice, r *provider.Request) {
	e.SecondaryID = wire.Opaque(r.Body)
	if id := headerID(r.Header, eventIDHeader); id != "" {
		e.ProviderEventID = id
		e.ID = event.HashID("event", id, headerID(r.Header, customRouteHeader))
		return
	}
	e.ID = event.HashID("body", n.Text("serviceUrl"), n.Text("account"), e.ProviderEvent, n.Text("date"), wire.Opaque([]byte(n.JSON("data"))))
}

// headerID returns a header's value when it is of a sane form, else "". The name must be as net/http writes it.
func headerID(h http.Header, name string) string {
	values := h[name]
	if len(values) == 0 || len(values[0]) > maxHeaderID || !utf8.ValidString(values[0]) {
		return ""
	}
	for _, c := range values[0] {
		if (c < ' ' || c > '~') && !unicode.IsPrint(c) {
			return ""
		}
	}
	return values[0]
}
