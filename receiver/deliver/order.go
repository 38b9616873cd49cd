package deliver

import (
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

// overflowDelay is how long events stay in the journal when too many are parked.
const overflowDelay = time.Second

// sequencer lets one event per key be in flight, in the order of the journal. It is used by one goroutine at a time,
// under its worker's lock.
//
// Events behind one that is in flight are parked in memory. When too many are parked, or the one in flight failed, they
// go back to the journal, all of one key due at the same moment: the journal keeps the order of what is due together.
type sequencer struct {
	inFlight map[string]struct{}
	parked   map[string][]journal.Delivery
	count    int
	// waiting holds, by key, what must come back from the journal before anything newer of the key may go.
	waiting map[string]head
}

// head is the oldest delivery of a key that went back to the journal, and when it and everything behind it is due.
type head struct {
	sequence uint64
	until    time.Time
}

func newSequencer() *sequencer {
	return &sequencer{inFlight: map[string]struct{}{}, parked: map[string][]journal.Delivery{}, waiting: map[string]head{}}
}

// admit sorts fetched deliveries into those that may be sent now and those that go back to the journal; the rest is parked.
func (s *sequencer) admit(fetched []journal.Delivery, now time.Time) (ready []journal.Delivery, back []journal.Settlement) {
	for i, d := range fetched {
		key := d.OrderingKey
		if h, ok := s.waiting[key]; ok && d.Sequence > h.sequence {
			back = deferred(fetched[i:i+1], h.until, back)
			continue
		}
		delete(s.waiting, key)
		switch _, busy := s.inFlight[key]; {
		case key == "":
			ready = append(ready, d)
		case !busy:
			s.inFlight[key] = struct{}{}
			ready = append(ready, d)
		case s.count < maxParked:
			s.parked[key] = append(s.parked[key], d)
			s.count++
		default:
			s.waiting[key] = head{d.Sequence, now.Add(overflowDelay)}
			back = deferred(fetched[i:i+1], s.waiting[key].until, back)
		}
	}
	return ready, back
}

// done frees the keys of events that were delivered or died, and appends the next event of each key, if one is parked.
func (s *sequencer) done(deliveries, freed []journal.Delivery) []journal.Delivery {
	for i := range deliveries {
		key := deliveries[i].OrderingKey
		waiting := s.parked[key]
		if len(waiting) == 0 {
			delete(s.inFlight, key)
			continue
		}
		freed = append(freed, waiting[0])
		s.count--
		if len(waiting) == 1 {
			delete(s.parked, key)
		} else {
			s.parked[key] = waiting[1:]
		}
	}
	return freed
}

// failed frees the key of one delivery that goes back to the journal, and appends its settlement, which is due when everything
// before it of its key is, and that of what was parked behind it.
func (s *sequencer) failed(one []journal.Delivery, outcome journal.Settlement, settlements []journal.Settlement) []journal.Settlement {
	key := one[0].OrderingKey
	if key == "" {
		return settled(one, outcome, settlements)
	}
	if h, ok := s.waiting[key]; ok && h.until.After(outcome.At) {
		outcome.At = h.until
	}
	s.waiting[key] = head{one[0].Sequence, outcome.At}
	delete(s.inFlight, key)
	behind := s.parked[key]
	delete(s.parked, key)
	s.count -= len(behind)
	return deferred(behind, outcome.At, settled(one, outcome, settlements))
}

// drain returns everything that is parked.
func (s *sequencer) drain(now time.Time) []journal.Settlement {
	var back []journal.Settlement
	for key, behind := range s.parked {
		if _, ok := s.waiting[key]; !ok {
			s.waiting[key] = head{behind[0].Sequence, now}
		}
		back = deferred(behind, s.waiting[key].until, back)
	}
	s.parked, s.count = map[string][]journal.Delivery{}, 0
	return back
}
