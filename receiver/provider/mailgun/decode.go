package mailgun

import (
	"bytes"
	"errors"
	"slices"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var (
	errNoData  = errors.New("the member event-data is missing")
	errNoEvent = errors.New("the member event is missing")
	errNoMail  = errors.New("the form is neither an event nor a mail")
)

// Decode reads the event that a request holds, in JSON or as a form, or the mail that a route forwards. It also takes what an event keeps
// of either, which has no signature.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	events, err := decode(r)
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	return provider.Batch{Events: events}
}

func decode(r *provider.Request) ([]event.Event, error) {
	if isJSON(r.Body) {
		if f, isForm := keptForm(r.Body); isForm {
			return decodeForm(r, fields{&f})
		}
		e, err := decodeJSON(r)
		return []event.Event{e}, err
	}
	f, err := form.Parse(r.Header.Get(contentType), r.Body)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says all that there is to say
	}
	withoutLast(&f, tokenName)
	withoutLast(&f, signatureName)
	return decodeForm(r, fields{&f})
}

// keptForm returns the form that JSON is, where it is what an event keeps of one. No event of Mailgun has a member of that name.
func keptForm(body []byte) (form.Form, bool) {
	if !bytes.Contains(body, []byte(`"mediaType"`)) {
		return form.Form{}, false
	}
	f, err := form.Parse("", body)
	return f, err == nil
}

// withoutLast takes the last field of a name away: the credential, and not a variable of the sender that has its name.
func withoutLast(f *form.Form, name string) {
	for i, field := range slices.Backward(f.Fields) {
		if field.Name == name {
			f.Fields = slices.Delete(f.Fields, i, i+1)
			return
		}
	}
}

func decodeJSON(r *provider.Request) (event.Event, error) {
	e := event.Event{Provider: Type}
	err := wire.Single(wire.Unwrap(r.Body), func(i wire.Item) error {
		n := notice{i.Object.Object("event-data")}
		if i.JSON("event-data") == "" {
			return errNoData
		}
		if e.ProviderEvent = n.Text("event"); e.ProviderEvent == "" {
			return errNoEvent
		}
		wire.Seconds(n.Text("timestamp")).SetTime(&e, r.ReceivedAt)
		n.convert(&e)
		// An id is unique within a day, if at all, and no part of it is signed: all that is said tells one event from another. Who signs the
		// same event again, signs another token.
		e.ID = i.Identity(wire.Member{Object: i.Object, Name: signatureName})
		e.Raw = i.Rewrite(func(name, value string) string {
			if name == signatureName {
				return ""
			}
			return value
		})
		return nil
	})
	return e, err //nolint:wrapcheck // it says all that there is to say
}
