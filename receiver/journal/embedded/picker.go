package embedded

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
)

// picker leases deliveries of one queue, whose lock is held.
type picker struct {
	q     *queue
	db    *pebble.DB
	limit journal.Limit
	now   uint64
	// durable is the last bundle to lease from. It was durable before the first look at the store: what is appended during the
	// looks, a later one of them could find and the one at the bundles not.
	durable uint64

	// bundles reads bundles in the order of their numbers, most often one after the other.
	bundles *pebble.Iterator
	// current is the bundle that was read last, and size its stored size; events are good until the next read.
	current bundle
	number  uint64
	size    int

	deliveries []journal.Delivery
	bytes      int
	full       bool
	// next is when something is due, if nothing is now.
	next uint64
}

func (p *picker) run() error {
	err := errors.Join(p.due(), p.fresh())
	if p.bundles != nil {
		err = errors.Join(err, p.bundles.Close())
	}
	return err
}

// due leases what was scheduled, since the store was opened, for a time that has come.
func (p *picker) due() error {
	q, epoch := p.q, p.q.j.epoch
	if q.scheduled == 0 {
		return nil
	}
	from := q.dueFrom
	if from == nil {
		from = schedulePrefix(q.id, epoch)
	}
	return scan(p.db, from, schedulePrefix(q.id, epoch+1), func(key, _ []byte) (bool, error) {
		at, sequence, ok := parseScheduleKey(key)
		if !ok {
			return false, errMalformed
		}
		event := place(placeOf(sequence))
		o := q.open[bundleOf(sequence)]
		leased := o != nil && o.leased()&event != 0
		if at > p.now {
			if !leased {
				p.next = at
			}
			return leased, nil
		}
		if !leased {
			if err := p.takeScheduled(bundleOf(sequence), event); err != nil || p.full {
				return false, err
			}
		}
		q.dueFrom = after(key)
		return true, nil
	})
}

func (p *picker) takeScheduled(number uint64, event places) error {
	o, err := p.find(number)
	if err != nil {
		return err
	}
	_, err = p.take(o, event&o.events)
	return err
}

// find returns what the queue is owed of a bundle.
func (p *picker) find(number uint64) (*openBundle, error) {
	if o := p.q.open[number]; o != nil {
		return o, nil
	}
	value, err := get(p.db, owedKey(p.q.id, number))
	if errors.Is(err, journal.ErrNotFound) {
		p.lost(number)
		return &openBundle{number: number}, nil
	}
	if err != nil {
		return nil, err
	}
	o, err := decodeOwed(value)
	return &openBundle{number: number, owed: o}, err
}

// fresh leases what was not leased since the store was opened. What an earlier opening had scheduled is among it, in its
// place: taken by the times that had been set, a later event could come before an earlier one of the same key.
func (p *picker) fresh() error {
	q := p.q
	if p.full || bundleOf(q.cursor) > p.durable {
		return nil
	}
	err := scan(p.db, owedKey(q.id, bundleOf(q.cursor)), owedKey(q.id, p.durable+1), func(key, value []byte) (bool, error) {
		_, number, ok := parseOwedKey(key)
		if !ok {
			return false, errMalformed
		}
		return p.takeOwed(number, value)
	})
	if err == nil && !p.full {
		q.cursor = sequenceOf(p.durable+1, 0)
	}
	return err
}

// takeOwed leases what is owed of a bundle from the cursor on, and moves the cursor. What is scheduled in the present epoch, which
// due finds, is before the cursor: it was leased once.
func (p *picker) takeOwed(number uint64, value []byte) (more bool, err error) {
	q := p.q
	o := q.open[number]
	if o == nil {
		o = &openBundle{number: number}
		if o.owed, err = decodeOwed(value); err != nil {
			return false, err
		}
	}
	wanted := o.events &^ o.leased()
	if number == bundleOf(q.cursor) {
		wanted &= placesFrom(placeOf(q.cursor))
	}
	left, err := p.take(o, wanted)
	if err != nil {
		return false, err
	}
	if p.full {
		q.cursor = sequenceOf(number, left.first())
		return false, nil
	}
	q.cursor = sequenceOf(number+1, 0)
	return true, nil
}

// take leases events of a bundle. Those that the limit does not allow are left, and full is set then.
func (p *picker) take(o *openBundle, wanted places) (left places, err error) {
	if wanted == 0 {
		return 0, nil
	}
	if len(p.deliveries) >= max(p.limit.Events, 1) {
		p.full = true
		return wanted, nil
	}
	if found, err := p.read(o.number); !found {
		return 0, err
	}
	if wanted&placesFrom(len(p.current.events)) != 0 {
		return 0, errMalformed
	}
	chosen := p.choose(wanted)
	for run := range chosen.runs {
		p.deliver(o, run)
	}
	if chosen != 0 {
		o.size, o.others = p.size, p.current.sinks.without(p.q.id)
		p.q.open[o.number] = o
	}
	return wanted &^ chosen, nil
}

// deliver adds neighbouring events, whose payloads are copied as one.
func (p *picker) deliver(o *openBundle, run places) {
	q := p.q
	rest := q.j.payloads.copyOf(p.current.payloads(run))
	q.leases++
	o.leases = append(o.leases, lease{number: q.leases, events: run, payloads: rest})
	if p.deliveries == nil {
		p.deliveries = make([]journal.Delivery, 0, p.expected(run.count()))
	}
	for n := range run.all {
		e := &p.current.events[n]
		s, _ := o.scheduleOf(n)
		size := len(e.payload)
		p.deliveries = append(p.deliveries, journal.Delivery{
			Sequence:    sequenceOf(o.number, n),
			OrderingKey: e.orderingKey,
			AcceptedAt:  fromMillis(e.acceptedAt),
			Attempts:    s.attempts,
			Payload:     rest[:size:size],
			Lease:       q.leases,
		})
		rest = rest[size:]
	}
}

// expected returns how many deliveries there may be, at least some.
func (p *picker) expected(some int) int {
	return max(some, min(p.limit.Events, int(p.q.pending.Load())))
}

// choose returns those of the wanted events that the limit allows.
func (p *picker) choose(wanted places) (chosen places) {
	count := len(p.deliveries)
	for n := range wanted.all {
		size := len(p.current.events[n].payload)
		if count >= max(p.limit.Events, 1) || p.limit.Bytes > 0 && count > 0 && p.bytes+size > p.limit.Bytes {
			p.full = true
			break
		}
		count++
		p.bytes += size
		chosen |= place(n)
	}
	return chosen
}

// read makes a bundle the current one. It returns false when the bundle is not there.
func (p *picker) read(number uint64) (found bool, err error) {
	if p.number == number && p.size > 0 {
		return true, nil
	}
	if p.bundles == nil {
		p.bundles, err = p.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tableEvents}, UpperBound: []byte{tableEvents + 1}})
		if err != nil {
			return false, err
		}
	}
	p.number, p.size = number, 0
	if !p.seek(bundleKey(number)) {
		if err := p.bundles.Error(); err != nil {
			return false, err
		}
		p.lost(number)
		return false, nil
	}
	value, err := p.bundles.ValueAndErr()
	if err != nil {
		return false, err
	}
	p.size = len(value)
	if p.current.events == nil {
		p.current.events = make([]event, 0, maxBundleEvents)
	}
	p.current, err = decodeBundle(value, p.current.events[:0])
	return err == nil, err
}

// lost has the store checked: it owes something that it has not.
func (p *picker) lost(bundle uint64) {
	p.q.j.recheck(fmt.Errorf("bundle %d, which is owed to %s, is missing", bundle, p.q.name))
}

// seek moves to key, with a single step where it is the next one.
func (p *picker) seek(key []byte) bool {
	if p.bundles.Valid() && p.bundles.Next() && bytes.Equal(p.bundles.Key(), key) {
		return true
	}
	return p.bundles.SeekGE(key) && bytes.Equal(p.bundles.Key(), key)
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
