package endpoint

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/provider"
)

// maxUndecodable is how many items of one request become dead letters of their own. Each takes far more space than a short item.
const maxUndecodable = 20

// undecodable makes dead letters of what could not be read. From a number of items on the others are one, as an array, which is
// decoded as such. What is not verified and cannot be read is counted and nothing more: anybody could fill the journal with it.
func (b *Builder) undecodable() {
	if b.Batch.Unverified {
		return
	}
	var items, wholes []provider.Undecodable
	for _, u := range b.unreadable {
		if len(u.Raw) >= len(b.request.Body) {
			wholes = append(wholes, u)
		} else {
			items = append(items, u)
		}
	}
	if len(items) > maxUndecodable+1 {
		items = append(items[:maxUndecodable:maxUndecodable], joined(items[maxUndecodable:]))
	}
	for _, u := range slices.Concat(items, wholes) {
		b.deadLetter(&u)
	}
}

// joined returns items as one.
func joined(items []provider.Undecodable) provider.Undecodable {
	raw := make([][]byte, len(items))
	for i := range items {
		raw[i] = items[i].Raw
	}
	array := slices.Concat([]byte{'['}, bytes.Join(raw, []byte{','}), []byte{']'})
	return provider.Undecodable{Raw: array, Reason: fmt.Sprintf("%d more items of the same request: %s", len(items), items[0].Reason)}
}

func (b *Builder) deadLetter(u *provider.Undecodable) {
	identity := &event.Event{ID: event.HashID(string(u.Raw), u.Reason)}
	b.Batch.DeadLetters = append(b.Batch.DeadLetters, journal.DeadLetter{
		Cause: journal.CauseUndecodable, Reason: u.Reason,
		Endpoint: b.endpoint.name, At: b.request.ReceivedAt,
		Header:    b.keptHeader(),
		DedupeKey: dedupeKeys(b.endpoint.name, identity)[0],
		Payload:   u.Raw,
	})
}
