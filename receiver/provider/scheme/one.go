package scheme

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// One reads a request of Standard Webhooks whose body is one object that is one event. It sets what the event keeps of the body, and
// the id: that of the message, or, where the headers have none, one that rests on all that the object says.
func One(r *provider.Request, read func(wire.Item) (event.Event, error)) provider.Batch {
	var b provider.Batch
	err := wire.Single(r.Body, func(item wire.Item) error {
		e, err := read(item)
		if err == nil {
			err = item.Doubt()
		}
		if err != nil {
			return err
		}
		e.Raw, e.ProviderEventID = item.Raw, ID(r.Header)
		if e.ID = e.ProviderEventID; e.ID == "" {
			e.ID = item.Identity()
		}
		b.Events = append(b.Events, e)
		return nil
	})
	if err != nil {
		b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: wire.Trim(r.Body), Reason: err.Error()})
	}
	return b
}
