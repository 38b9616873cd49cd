package nylas

import (
	"errors"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoType = errors.New("the member type is missing")

// attempt is the member that differs from one attempt of a notification to the next.
const attempt = "webhook_delivery_attempt"

// notice is one notification.
type notice struct {
	wire.Item
	// object is what it is about.
	object wire.Object
	// trigger is its name without what says in which form the object is told, in lower case.
	trigger string
	// cleaned says that the body of a message is Markdown.
	cleaned bool
}

// Decode reads the notification that a request holds: one event, or one for each recipient where it lists them.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	var events []event.Event
	err := wire.Single(r.Body, func(item wire.Item) (err error) {
		events, err = read(item, r)
		return err
	})
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
	}
	return provider.Batch{Events: events}
}

func read(item wire.Item, r *provider.Request) ([]event.Event, error) {
	name := item.Text("type")
	if name == "" {
		return nil, errNoType
	}
	data := item.Object.Object("data")
	n := &notice{Item: item, object: data.Object("object")}
	n.trigger, n.cleaned = trigger(name)
	e := event.Event{Type: event.Unknown, Provider: Type, ProviderEvent: name, ProviderEventID: n.Text("id")}
	e.Account = wire.First(n.object.Text("grant_id"), data.Text("grant_id"))
	wire.KeepDetails(&e, n.Object, "source")
	wire.KeepDetails(&e, data, "application_id")
	wire.Seconds(n.Text("time")).SetTime(&e, r.ReceivedAt)
	k := kinds()[n.trigger]
	return n.events(e, k, r)
}

// variants are the ends of names that say in which form an object is told, and nothing of what happened: with fields left out because it
// was larger than 1 MB, with those that the application has chosen, with a body in Markdown, for its metadata, in the form of version 2.
func variants() []string {
	return []string{".truncated", ".transformed", cleaned, ".metadata", ".legacy"}
}

const cleaned = ".cleaned"

// trigger returns a name without its variants, of which it may have several.
func trigger(name string) (bare string, isCleaned bool) {
	bare = strings.ToLower(name)
	for {
		i := slices.IndexFunc(variants(), func(v string) bool { return strings.HasSuffix(bare, v) })
		if i < 0 {
			return bare, isCleaned
		}
		isCleaned = isCleaned || variants()[i] == cleaned
		bare = strings.TrimSuffix(bare, variants()[i])
	}
}

// events makes one event for each element of the list that a kind has, or one where there is no such list.
func (n *notice) events(e event.Event, k kind, r *provider.Request) ([]event.Event, error) {
	within := n.object
	if k.within != "" {
		within = n.object.Object(k.within)
	}
	listed := wire.Member{Object: within, Name: k.list, Objects: k.objects}
	list := wire.Parallel{}
	if k.list != "" {
		list = n.Parallel(listed)
	}
	fanOut := wire.FanOut{BodyBytes: len(r.Body)}
	if err := errors.Join(n.Doubt(), fanOut.Take(&list)); err != nil {
		return nil, err
	}
	id := n.id(listed)
	var ids wire.IDs
	events := make([]event.Event, 0, list.Len())
	for i := range list.Len() {
		one := e
		one.Raw, one.ID = n.Raw, ids.Unique(event.HashID(id...))
		about := element{}
		if list.Len() > 1 || k.list != "" {
			one.Raw, one.ID = list.Raw(i), ids.Unique(event.HashID(append(id, list.Identity(0, i))...))
			about = element{Object: list.Object(0, i), text: list.Text(0, i)}
		}
		if k.convert != nil {
			k.convert(&one, n, about)
		}
		events = append(events, one)
	}
	return events, n.Doubt()
}

// id returns what identifies a notification: its own id, which stays the same over its attempts. One without is told apart by all that it
// says but for the attempt and the list whose elements are events of their own.
func (n *notice) id(listed wire.Member) []string {
	if id := n.Text("id"); id != "" {
		return []string{n.trigger, id}
	}
	without := []wire.Member{{Object: n.Object, Name: attempt}}
	if listed.Name != "" {
		without = append(without, listed)
	}
	return []string{"", n.Identity(without...)}
}
