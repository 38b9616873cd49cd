package embedded

import (
	"encoding/binary"
	"slices"
)

// owed is what a queue is owed of one bundle, as tableOwed holds it.
type owed struct {
	events places
	// schedules are those of events that were settled for later, in any order.
	schedules []schedule
}

// schedule says when an event is due again.
type schedule struct {
	place int
	when
	attempts int
}

func (o *owed) scheduleOf(place int) (schedule, bool) {
	for _, s := range o.schedules {
		if s.place == place {
			return s, true
		}
	}
	return schedule{}, false
}

func (o *owed) unschedule(place int) {
	o.schedules = slices.DeleteFunc(o.schedules, func(s schedule) bool { return s.place == place })
}

func (o *owed) encode() []byte {
	v := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64), uint64(o.events))
	for _, s := range o.schedules {
		v = append(v, byte(s.place))
		v = binary.AppendUvarint(v, s.epoch)
		v = binary.AppendUvarint(v, s.due)
		v = binary.AppendUvarint(v, uint64(s.attempts))
	}
	return v
}

func decodeOwed(value []byte) (owed, error) {
	r := reader{rest: value}
	o := owed{events: places(r.uvarint())}
	for len(r.rest) > 0 {
		s := schedule{place: int(r.uvarint())}
		s.when = when{epoch: r.uvarint(), due: r.uvarint()}
		s.attempts = int(r.uvarint())
		if s.place >= maxBundleEvents {
			return o, errMalformed
		}
		o.schedules = append(o.schedules, s)
	}
	return o, r.err
}
