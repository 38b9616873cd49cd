package format

import (
	"encoding/binary"
	"slices"
)

// Owed is what a sink is owed of one bundle, as TableOwed holds it.
type Owed struct {
	Events EventSet
	// Schedules are those of events that were settled for later, in any order.
	Schedules []Schedule
}

// Schedule says when an event is due again.
type Schedule struct {
	Position int
	When
	Attempts int
}

// ScheduleOf returns when the event at a position is due; ok is false when it was not settled for later.
func (o *Owed) ScheduleOf(position int) (s Schedule, ok bool) {
	for _, s := range o.Schedules {
		if s.Position == position {
			return s, true
		}
	}
	return Schedule{}, false
}

// Unschedule forgets when the event at a position is due.
func (o *Owed) Unschedule(position int) {
	o.Schedules = slices.DeleteFunc(o.Schedules, func(s Schedule) bool { return s.Position == position })
}

// Encode returns the value that [DecodeOwed] reads.
func (o *Owed) Encode() []byte {
	v := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64), uint64(o.Events))
	for _, s := range o.Schedules {
		v = append(v, byte(s.Position))
		v = binary.AppendUvarint(v, s.Epoch)
		v = binary.AppendUvarint(v, s.Due)
		v = binary.AppendUvarint(v, uint64(s.Attempts))
	}
	return v
}

// DecodeOwed reads what Encode wrote. The error is [ErrMalformed].
func DecodeOwed(value []byte) (Owed, error) {
	r := reader{rest: value}
	o := Owed{Events: EventSet(r.uvarint())}
	for len(r.rest) > 0 {
		position := r.uvarint()
		if position >= MaxBundleEvents {
			return o, ErrMalformed
		}
		s := Schedule{Position: int(position)}
		s.When = When{Epoch: r.uvarint(), Due: r.uvarint()}
		s.Attempts = int(r.uvarint())
		o.Schedules = append(o.Schedules, s)
	}
	return o, r.err
}
