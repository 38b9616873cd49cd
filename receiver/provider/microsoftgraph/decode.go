package microsoftgraph

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoName = errors.New("neither changeType nor lifecycleEvent is there")

// batch collects what a request holds.
type batch struct {
	provider.Batch
	webhook *webhook
	request *provider.Request
	// list is what the notifications are read from.
	list []byte
	ids  wire.IDs
}

// Decode reads the notifications of a request. Each in the list that Graph sends must have a clientState of the endpoint, else it is for
// somebody else. What an event keeps, and what a dead letter does, is a notification by itself, without its clientState and decrypted:
// nobody can send one, since Verify refuses the form.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	c, sent := read(r.Body)
	b := batch{webhook: w, request: r, list: r.Body}
	if sent {
		b.list = c.value
	}
	for item, err := range wire.Items(b.list) {
		switch _, mine := w.mineIf(sent && err == nil, &item); {
		case err != nil:
			b.unreadable(&item, sent, err)
		case !mine:
			b.Refused++
		default:
			b.add(&item, sent)
		}
	}
	return b.Batch
}

// mineIf is mine where that is to be asked.
func (w *webhook) mineIf(asked bool, item *wire.Item) (position int, ok bool) {
	if !asked {
		return 0, true
	}
	return w.mine(item)
}

// unreadable keeps what is no notification. Nobody knows whose it is, so what Graph sent counts as somebody else's, but where the list as a
// whole is too long: that is kept in the form in which each is asked for its clientState again.
func (b *batch) unreadable(item *wire.Item, sent bool, err error) {
	switch {
	case !sent:
		b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: item.Sent, Reason: err.Error()})
	case len(item.Sent) >= len(b.list):
		b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: b.request.Body, Reason: err.Error()})
	default:
		b.Refused++
	}
}

// add reads a notification. One that cannot be read is kept without its clientState, by which others could send more.
func (b *batch) add(item *wire.Item, sent bool) {
	e, err := b.read(item, sent)
	if err == nil {
		err = item.Doubt()
	}
	if err != nil {
		b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: withoutState(item.Sent), Reason: err.Error()})
		return
	}
	e.ID = b.ids.Unique(identity(item))
	b.Events = append(b.Events, e)
}

// withoutState returns a notification whose clientState is empty, and every other byte as it is.
func withoutState(sent []byte) []byte {
	return wire.Edit(sent, func(at jsontext.Pointer, token jsontext.Token) string {
		if at == "/clientState" && token.Kind() == jsontext.KindString {
			return `""`
		}
		return ""
	})
}

// read reads a notification, and the resource in it where there is one.
func (b *batch) read(item *wire.Item, sent bool) (event.Event, error) {
	n := notice{Item: item, data: item.Object.Object("resourceData")}
	e, err := n.event(b.webhook.inbox)
	if err != nil {
		return event.Event{}, err
	}
	content, err := b.webhook.content(item, sent)
	if err != nil {
		return event.Event{}, err
	}
	if content == nil {
		e.Raw = item.Rewrite(func(name, value string) string { return kept(name, value, "") })
		wire.DateTime("").SetTime(&e, b.request.ReceivedAt)
		return e, nil
	}
	err = wire.Single(content, func(resource wire.Item) error {
		e.Raw = item.Rewrite(func(name, value string) string { return kept(name, value, string(resource.Raw)) })
		n.resource(&e, resource.Object, b.request)
		return nil
	})
	if err != nil {
		return event.Event{}, errContent
	}
	return e, nil
}

// kept returns what an event keeps of a member: nothing of the clientState, and of the encrypted content what it holds.
func kept(name, value, content string) string {
	switch {
	case name == "clientState":
		return ""
	case name == "encryptedContent" && content != "":
		return `{"decrypted":` + content + `}`
	default:
		return value
	}
}

// content returns the resource that a notification holds, nil where it has none. That of a kept one is decrypted already; who sends one so
// has not been able to encrypt it.
func (w *webhook) content(item *wire.Item, sent bool) ([]byte, error) {
	if !hasContent(item) {
		return nil, nil
	}
	content := item.Object.Object("encryptedContent")
	if decrypted := content.JSON("decrypted"); decrypted != "" && !sent {
		return wire.Unwrap(jsontext.Value(decrypted)), nil
	}
	return w.decrypt(content)
}

// identity returns the id of a notification. It rests on all that it says but for the credential, what is encrypted, which differs each time,
// and, where the version of the message tells changes apart, the end of its subscription, which moves. Its own "id" is not unique.
func identity(item *wire.Item) string {
	without := []wire.Member{{Object: item.Object, Name: "clientState"}, {Object: item.Object, Name: "encryptedContent"}}
	if item.Object.Object("resourceData").Text("@odata.etag") != "" {
		without = append(without, wire.Member{Object: item.Object, Name: "subscriptionExpirationDateTime"})
	}
	return item.Identity(without...)
}

// user returns the user, or the id of one, that a path names: Users/<user>/Messages/<message>; "" = it names none.
func user(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) > 1 && strings.EqualFold(parts[0], "users") {
		return parts[1]
	}
	return ""
}
