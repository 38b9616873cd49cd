package embedded

import (
	"slices"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
)

// owedNames tells to which sinks the events of a bundle were owed at first.
type owedNames struct {
	// byID are the names of the queues.
	byID map[uint32]string
	// bundle is the number of the bundle that first is of.
	bundle uint64
	first  map[uint32]format.EventSet
	// sinks are those of the events in same, which most neighbours are.
	sinks []string
	same  format.EventSet
}

// of returns the sinks of one event, but for the history; known is false when the bundle does not tell.
func (o *owedNames) of(q *queue, b *format.Bundle, number uint64, position int) (sinks []string, known bool) {
	if o.byID == nil {
		o.byID = map[uint32]string{}
		for _, other := range q.j.queues.all() {
			o.byID[other.id] = other.name
		}
	}
	if o.bundle != number {
		o.bundle, o.first, o.same = number, b.OwedAtFirst(), 0
	}
	if o.first == nil {
		return nil, false
	}
	one := format.SetOf(position)
	if o.same&one == 0 {
		o.choose(one)
	}
	return o.sinks, true
}

// choose finds the sinks of an event, and the others that have the same.
func (o *owedNames) choose(one format.EventSet) {
	o.sinks, o.same = nil, ^format.EventSet(0)
	for id, events := range o.first {
		if events&one == 0 {
			o.same &^= events
			continue
		}
		o.same &= events
		if name := o.byID[id]; name != journal.History {
			o.sinks = append(o.sinks, name)
		}
	}
	slices.Sort(o.sinks)
}
