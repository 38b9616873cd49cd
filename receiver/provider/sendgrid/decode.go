package sendgrid

import (
	"bytes"
	"errors"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("the member event is missing")

// item is one of the events of a body.
type item struct{ wire.Item }

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
	// named are the items so far, by their sg_event_id.
	named map[string][]byte
}

// Decode reads the events of a JSON array, or the one mail of a multipart. It also takes one event without its array, and a form as an
// event keeps it.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r}
	body := wire.Trim(r.Body)
	if len(body) > 0 && body[0] == '[' || !isForm(r, body) {
		b.events(wire.Unwrap(r.Body))
		return b.Batch
	}
	f, err := form.Parse(r.Header.Get(contentType), r.Body)
	if err == nil {
		err = b.mail(&f)
	}
	if err != nil {
		b.undecodable(r.Body, err)
	}
	return b.Batch
}

// isForm reports whether a body, or what was kept of one, is the form of Inbound Parse.
func isForm(r *provider.Request, body []byte) bool {
	if len(body) > 0 && body[0] == '{' {
		_, err := form.Parse("", body)
		return err == nil
	}
	mediaType, _, _ := strings.Cut(r.Header.Get(contentType), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), form.Multipart)
}

func (b *batch) undecodable(raw []byte, err error) {
	b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: raw, Reason: err.Error()})
}

func (b *batch) events(body []byte) {
	for i, err := range wire.Items(body) {
		if err == nil {
			err = b.add(&item{i})
		}
		if err != nil {
			b.undecodable(i.Sent, err)
		}
	}
}

func (b *batch) add(i *item) error {
	e := event.Event{Provider: Type, ProviderEvent: i.Text("event"), Raw: i.Raw}
	if e.ProviderEvent == "" {
		return errNoEvent
	}
	wire.Seconds(i.Text("timestamp")).SetTime(&e, b.request.ReceivedAt)
	i.convert(&e)
	if err := i.Doubt(); err != nil {
		return err
	}
	if b.isTold(i) {
		return nil
	}
	e.ID = b.ids.Unique(i.identity(&e))
	b.Events = append(b.Events, e)
	return nil
}

// identity returns the id of an event. SendGrid names each by sg_event_id, and is reported to give another name to one that it sends again.
// So the name counts where nothing else may tell two events apart: people can open and click several times in a second, and a bounce that
// came late may name no message. What else happens to a message happens once in a second, and all that is said of it tells it apart.
func (i *item) identity(e *event.Event) string {
	isNamed := e.MessageID != "" || e.ProviderMessageID != ""
	switch e.Type {
	case event.Opened, event.Clicked, event.Test, event.Unknown:
		isNamed = false
	default:
	}
	if !isNamed {
		return i.Identity()
	}
	return i.Identity(wire.Member{Object: i.Object, Name: "sg_event_id"})
}

// isTold reports whether an item has come before in the same body, byte by byte and under one name: SendGrid may send an event twice.
func (b *batch) isTold(i *item) bool {
	name := i.Text("sg_event_id")
	if name == "" {
		return false
	}
	before, named := b.named[name]
	if !named {
		if b.named == nil {
			b.named = map[string][]byte{}
		}
		b.named[name] = i.Sent
	}
	return named && bytes.Equal(before, i.Sent)
}
