package unisendergo

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var (
	errNoEvents = errors.New("neither events_by_user nor event_name is there")
	errUsers    = errors.New("events_by_user must be a list")
	errList     = errors.New("events must be a list")
	errNoName   = errors.New("the member event_name is missing")
)

// The members that hold the events of all users, and of one.
const (
	usersName  = "events_by_user"
	eventsName = "events"
)

// owner is whose events they are.
type owner struct{ user, project string }

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
	fanOut  wire.FanOut
}

// Decode reads the events that a request holds: those of users and their projects, or one by itself.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r, fanOut: wire.FanOut{BodyBytes: len(r.Body)}}
	err := wire.Single(r.Body, func(i wire.Item) error {
		switch {
		case i.JSON(usersName) != "":
			return b.users(i)
		case i.JSON("event_name") != "":
			return b.single(i)
		default:
			return errNoEvents
		}
	})
	if err != nil {
		return provider.Batch{Undecodable: []provider.Undecodable{{Raw: wire.Trim(r.Body), Reason: err.Error()}}}
	}
	return b.Batch
}

func (b *batch) refuse(i wire.Item, err error) {
	b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: i.Sent, Reason: err.Error()})
}

// users reads the events of each user. One that cannot be read costs no other.
func (b *batch) users(body wire.Item) error {
	list := []byte(body.JSON(usersName))
	if list[0] != '[' {
		return errUsers
	}
	for i, err := range wire.Items(list) {
		if err == nil {
			err = b.events(i)
		}
		if err != nil {
			b.refuse(i, err)
		}
	}
	return nil
}

// events reads the events of a user. Each keeps what stands beside the list of them, so the request says how many there may be.
func (b *batch) events(user wire.Item) error {
	of := owner{user.Text("user_id"), user.Text("project_id")}
	list := []byte(user.JSON(eventsName))
	if len(list) == 0 || list[0] != '[' {
		return errList
	}
	only, _, _ := user.Each(wire.Member{Object: user.Object, Name: eventsName})
	if err := user.Doubt(); err != nil {
		return err //nolint:wrapcheck // it says all that there is to say
	}
	if err := b.fanOut.Take(&only); err != nil {
		return err //nolint:wrapcheck // it says all that there is to say
	}
	n := 0
	for i, err := range wire.Items(list) {
		if err == nil {
			err = b.add(&item{Item: i, owner: of}, only.Sent(n))
		}
		if err != nil {
			b.refuse(i, err)
		}
		n++
	}
	return nil
}

// add reads an event, of which user is what it keeps: the user with no other event.
func (b *batch) add(i *item, user []byte) error {
	i.data = i.Object.Object("event_data")
	e, err := i.event(b.request)
	if err != nil {
		return err
	}
	if e.Raw, err = kept(user); err != nil {
		return err
	}
	// The name of a project may change, and says nothing of the event.
	e.ID = b.ids.Unique(event.HashID(i.owner.user, i.owner.project, i.Identity()))
	b.Events = append(b.Events, e)
	return nil
}

// kept returns the body that the event of a user would have alone, without its signature.
func kept(user []byte) (raw jsontext.Value, err error) {
	body := make([]byte, 0, len(user)+len(`{"events_by_user":[]}`))
	body = append(append(append(body, `{"`+usersName+`":[`...), user...), `]}`...)
	err = wire.Single(body, func(i wire.Item) error {
		raw = i.Raw
		return nil
	})
	return raw, err //nolint:wrapcheck // it says all that there is to say
}

// single reads an event by itself, whose data stand beside its name, or in event_data where it is one of a list that was kept alone.
func (b *batch) single(sent wire.Item) error {
	i := &item{Item: sent, data: sent.Object, owner: owner{sent.Text("user_id"), sent.Text("project_id")}}
	if sent.JSON("event_data") != "" {
		i.data = sent.Object.Object("event_data")
	}
	e, err := i.event(b.request)
	if err != nil {
		return err
	}
	if e.Raw = i.Raw; i.JSON(authName) != "" {
		e.Raw = i.Rewrite(func(name, value string) string {
			if name == authName {
				return ""
			}
			return value
		})
	}
	e.ID = i.Identity(wire.Member{Object: i.Object, Name: authName}, wire.Member{Object: i.Object, Name: "project_name"})
	b.Events = append(b.Events, e)
	return nil
}
