package embedded

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
)

// picker leases deliveries of one queue, whose lock is held.
type picker struct {
	q     *queue
	db    *pebble.DB
	limit journal.Limit
	now   uint64

	// events reads the events of the batch in the order of their sequences, most often one after the other.
	events     *pebble.Iterator
	deliveries []journal.Delivery
	bytes      int
	full       bool
	// next is when something is due, if nothing is now.
	next uint64
}

func (p *picker) run() error {
	err := errors.Join(p.due(), p.fresh())
	if p.events != nil {
		err = errors.Join(err, p.events.Close())
	}
	return err
}

// due leases what was scheduled, since the store was opened, for a time that has come.
func (p *picker) due() error {
	q, epoch := p.q, p.q.j.epoch
	from := q.dueFrom
	if from == nil {
		from = schedulePrefix(q.id, epoch)
	}
	return scan(p.db, from, schedulePrefix(q.id, epoch+1), func(key, value []byte) (bool, error) {
		at, sequence, ok := parseScheduleKey(key)
		if !ok {
			return false, errMalformed
		}
		_, leased := q.leased[sequence]
		if at > p.now {
			if !leased {
				p.next = at
			}
			return leased, nil
		}
		if !leased {
			if taken, err := p.takeScheduled(sequence, value); !taken {
				return false, err
			}
		}
		q.dueFrom = after(key)
		return true, nil
	})
}

func (p *picker) takeScheduled(sequence uint64, value []byte) (bool, error) {
	s, err := decodeSchedule(value)
	if err != nil {
		return false, err
	}
	return p.take(sequence, lease{scheduled: true, schedule: s})
}

// fresh leases what was not leased since the store was opened. What an earlier opening had scheduled is among it, in its
// place: taken by the times that had been set, a later event could come before an earlier one of the same key.
func (p *picker) fresh() error {
	q := p.q
	durable := q.j.durable.Load()
	if p.full || q.cursor > durable {
		return nil
	}
	err := scan(p.db, owedKey(q.id, q.cursor), owedKey(q.id, durable+1), func(key, value []byte) (bool, error) {
		_, sequence, ok := parseOwedKey(key)
		if !ok {
			return false, errMalformed
		}
		if taken, err := p.takeOwed(sequence, value); !taken {
			return false, err
		}
		q.cursor = sequence + 1
		return true, nil
	})
	if err == nil && !p.full {
		q.cursor = durable + 1
	}
	return err
}

// takeOwed leases an entry that is owed, but for one that due will find.
func (p *picker) takeOwed(sequence uint64, value []byte) (bool, error) {
	l := lease{after: p.q.last}
	if len(value) > 0 {
		s, err := decodeSchedule(value)
		if err != nil || s.epoch == p.q.j.epoch {
			p.q.last = 0
			return err == nil, err
		}
		l.scheduled, l.schedule = true, s
	}
	taken, err := p.take(sequence, l)
	if _, leased := p.q.leased[sequence]; leased {
		p.q.last = sequence
	} else if taken {
		p.q.last = 0
	}
	return taken, err
}

// take leases one delivery. It returns false, and sets full, when the limit does not allow it.
func (p *picker) take(sequence uint64, l lease) (bool, error) {
	if len(p.deliveries) >= max(p.limit.Events, 1) {
		p.full = true
		return false, nil
	}
	e, size, err := p.read(sequence)
	if err != nil {
		return false, err
	}
	if size == 0 {
		p.q.j.opts.Logger.Error("journal has lost an event", "sink", p.q.name, "sequence", sequence)
		return true, nil
	}
	if p.limit.Bytes > 0 && len(p.deliveries) > 0 && p.bytes+len(e.payload) > p.limit.Bytes {
		p.full = true
		return false, nil
	}
	p.bytes += len(e.payload)
	l.size = size
	l.others = e.sinks.without(p.q.id)
	p.q.leased[sequence] = l
	p.deliveries = append(p.deliveries, journal.Delivery{
		Sequence:    sequence,
		OrderingKey: e.orderingKey,
		AcceptedAt:  fromMillis(e.acceptedAt),
		Attempts:    l.attempts,
		Payload:     bytes.Clone(e.payload),
	})
	return true, nil
}

// read returns an event, whose payload is good until the next read, and its stored size; 0 = it is not there.
func (p *picker) read(sequence uint64) (event, int, error) {
	if p.events == nil {
		events, err := p.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tableEvents}, UpperBound: []byte{tableEvents + 1}})
		if err != nil {
			return event{}, 0, err
		}
		p.events = events
	}
	key := eventKey(sequence)
	if !p.seek(key) {
		return event{}, 0, p.events.Error()
	}
	value, err := p.events.ValueAndErr()
	if err != nil {
		return event{}, 0, err
	}
	e, err := decodeEvent(value)
	return e, len(value), err
}

// seek moves to key, with a single step where it is the next one.
func (p *picker) seek(key []byte) bool {
	if p.events.Valid() && p.events.Next() && bytes.Equal(p.events.Key(), key) {
		return true
	}
	return p.events.SeekGE(key) && bytes.Equal(p.events.Key(), key)
}

// scan calls visit with the keys from lower to upper until it returns false. Keys and values are good during the call.
func scan(db *pebble.DB, lower, upper []byte, visit func(key, value []byte) (bool, error)) error {
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	more := true
	for valid := iter.First(); valid && more; valid = more && iter.Next() {
		var value []byte
		if value, err = iter.ValueAndErr(); err == nil {
			more, err = visit(iter.Key(), value)
		}
		if err != nil {
			break
		}
	}
	return errors.Join(err, iter.Close())
}
