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
	item, err := wire.Single(r.Body)
	n := notice{Item: item, data: item.Object.Object("data")}
	name := n.Text("event")
	if err == nil && name == "" {
		err = errNoEvent
	}
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	b := provider.Batch{Events: []event.Event{{
		Type:          event.Unknown,
		Provider:      Type,
		ProviderEvent: name,
		Account:       n.Text("account"),
		Raw:           n.Raw,
	}}}
	e := &b.Events[0]
	wire.KeepMembers(e, n.Object, "serviceUrl")
	wire.DateTime(n.Text("date")).SetTime(e, r.ReceivedAt)
	if convert, known := converters[name]; known {
		convert(e, n)
	}
	identify(e, n, r)
	return b
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

// headerID returns a header's value when it is of a sane form, else "".
func headerID(h http.Header, name string) string {
	id := h.Get(name)
	if len(id) > maxHeaderID || !utf8.ValidString(id) {
		return ""
	}
	for _, c := range id {
		if !unicode.IsPrint(c) {
			return ""
		}
	}
	return id
}
