package deliver

import (
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// overflowDelay is how long events stay in the journal when too many are parked.
	overflowDelay = time.Second
	// lostAfter is how long an event is waited for that is due and does not come, although one behind it does: another receiver
	// delivered it while it had the queue, or it was removed by hand. missedPause is the time between two looks meanwhile.
	lostAfter   = 30 * time.Second
	missedPause = 100 * time.Millisecond
)

// sequencer lets one event per key be in flight, in the order of the journal. It is used by one goroutine at a time.
//
// Events behind one that is in flight are parked in memory. When too many are parked, or the one in flight failed, they
// go back to the journal, all of one key due at the same moment: the journal keeps the order of what is due together.
type sequencer struct {
	inFlight map[string]struct{}
	parked   map[string][]journal.Delivery
	// count and bytes are of all that is parked.
	count, bytes int
	// waiting holds, by key, what must come back from the journal before anything newer of the key may go.
	waiting map[string]head
}

// head is the oldest delivery of a key that went back to the journal, and when it and everything behind it is due.
type head struct {
	sequence uint64
	until    time.Time
	// missed is one behind it that came when the head was due, and missedAt when that was; zero = none did.
	missed   uint64
	missedAt time.Time
}

func newSequencer() *sequencer {
	return &sequencer{inFlight: map[string]struct{}{}, parked: map[string][]journal.Delivery{}, waiting: map[string]head{}}
}

// admit sorts fetched deliveries into those that may be sent now and those that go back to the journal; the rest is parked.
func (s *sequencer) admit(fetched []journal.Delivery, now time.Time) (ready []journal.Delivery, back []journal.Settlement) {
	// returned has the keys of which something went back: what is behind it must not stay, also if their head is among the rest.
	returned := map[string]head{}
	for i, d := range fetched {
		key := d.OrderingKey
		h, waits := s.behind(&d, now)
		if !waits {
			h, waits = returned[key]
			waits = waits && d.Sequence > h.sequence
		}
		if waits {
			returned[key] = h
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
		case s.hasRoom(&d):
			s.parked[key] = append(s.parked[key], d)
			s.count++
			s.bytes += len(d.Payload)
		default:
			s.waiting[key] = head{sequence: d.Sequence, until: now.Add(overflowDelay)}
			back = deferred(fetched[i:i+1], s.waiting[key].until, back)
		}
	}
	return ready, back
}

// behind returns the head that d must wait for, if there is one. A head that is due comes before those behind it: they are put
// behind it in the journal when they come earlier. When one of them comes again, and for lostAfter, there is no head any more.
func (s *sequencer) behind(d *journal.Delivery, now time.Time) (h head, waits bool) {
	h, waits = s.waiting[d.OrderingKey]
	if !waits || d.Sequence <= h.sequence {
		return h, false
	}
	missing := now.Sub(h.missedAt)
	switch {
	case h.until.After(now):
		return h, true
	case h.missed == d.Sequence && missing > lostAfter:
		return h, false
	case h.missed == 0 || missing > 2*lostAfter:
		h.missed, h.missedAt = d.Sequence, now
		s.waiting[d.OrderingKey] = h
	}
	return h, true
}

func (s *sequencer) hasRoom(d *journal.Delivery) bool {
	return s.count < maxParked && (s.count == 0 || s.bytes+len(d.Payload) <= maxParkedBytes)
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
		s.bytes -= len(waiting[0].Payload)
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
	s.waiting[key] = head{sequence: one[0].Sequence, until: outcome.At}
	delete(s.inFlight, key)
	behind := s.parked[key]
	delete(s.parked, key)
	s.count -= len(behind)
	s.bytes -= payloadBytes(behind)
	return deferred(behind, outcome.At, settled(one, outcome, settlements))
}

// drain returns everything that was admitted and not sent, and everything that is parked.
func (s *sequencer) drain(ready []journal.Delivery, now time.Time) (back []journal.Settlement) {
	for i := range ready {
		back = s.failed(ready[i:i+1], journal.Settlement{Outcome: journal.Defer, At: now}, back)
	}
	for key, behind := range s.parked { // behind a send that does not end
		s.parked[key] = behind[1:]
		back = s.failed(behind[:1], journal.Settlement{Outcome: journal.Defer, At: now}, back)
	}
	return back
}
