package emailengine

import (
	"errors"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// maxHeaderID is the length, in bytes, of an id that is taken from an unsigned header; a UUID has 36.
const maxHeaderID = 128

var errNoEvent = errors.New("the member event is missing")

// envelope is what every event has around its data.
type envelope struct {
	ServiceURL wire.Text `json:"serviceUrl"`
	Account    wire.Text `json:"account"`
	Date       wire.Text `json:"date"`
	Path       wire.Text `json:"path"`
	SpecialUse wire.Text `json:"specialUse"`
	Event      wire.Text `json:"event"`
	Data       wire.Span `json:"data"`
}

// notice is one event on its way: the envelope, and the JSON of its data (nil when there is none).
type notice struct {
	envelope
	data jsontext.Value
}

// Decode reads the one event that a request holds.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	e, err := decode(r)
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	return provider.Batch{Events: []event.Event{e}}
}

func decode(r *provider.Request) (event.Event, error) {
	raw := wire.Trim(r.Body)
	var n notice
	if err := wire.DecodeObject(raw, &n.envelope); err != nil {
		return event.Event{}, err
	}
	if n.Event == "" {
		return event.Event{}, errNoEvent
	}
	n.data = n.Data.Of(raw)
	e := event.Event{
		Type:          event.Unknown,
		Provider:      Type,
		ProviderEvent: n.Event.String(),
		Account:       n.Account.String(),
		Raw:           raw,
	}
	wire.SetMetadata(&e, "serviceUrl", n.ServiceURL)
	wire.DateTime(n.Date).SetTime(&e, r.ReceivedAt)
	if convert, known := converters[n.Event]; known {
		convert(&e, &n)
	}
	identify(&e, &n, r)
	return e, nil
}

// identify sets the ids. The event id of the header is the same for every attempt, but it is not signed: whoever holds a
// captured request could vary it, so the body identifies the event as well.
func identify(e *event.Event, n *notice, r *provider.Request) {
	e.SecondaryID = wire.Opaque(r.Body)
	if id := headerID(r.Header, eventIDHeader); id != "" {
		e.ProviderEventID = id
		e.ID = event.HashID("event", id, headerID(r.Header, customRouteHeader))
		return
	}
	e.ID = event.HashID("body", n.ServiceURL.String(), n.Account.String(), n.Event.String(), n.Date.String(), wire.Opaque(n.data))
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

// dataOf decodes the data of an event. It was found to be valid JSON together with its envelope, so all that can be
// wrong is that it is absent or no object: then T is zero, and the event still tells its name, account and time.
func dataOf[T any](n *notice) T {
	var data wire.Object[T]
	if len(n.data) > 0 {
		_ = json.Unmarshal(n.data, &data)
	}
	return data.Value
}
