package embedded

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
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
	current format.Bundle
	number  uint64
	size    int

	// names are those of the sinks of current, for the history.
	names owedNames

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
		from = format.SchedulePrefix(q.id, epoch)
	}
	return store.Scan(p.db, from, format.SchedulePrefix(q.id, epoch+1), func(key, _ []byte) (bool, error) {
		at, sequence, ok := format.ParseScheduleKey(key)
		if !ok {
			return false, format.ErrMalformed
		}
		event := format.SetOf(format.PositionOf(sequence))
		o := q.open[format.BundleOf(sequence)]
		leased := o != nil && o.leased()&event != 0
		if at > p.now {
			if !leased {
				p.next = at
			}
			return leased, nil
		}
		if !leased {
			if err := p.takeScheduled(format.BundleOf(sequence), event); err != nil || p.full {
				return false, err
			}
		}
		q.dueFrom = format.After(key)
		return true, nil
	})
}

func (p *picker) takeScheduled(number uint64, event format.EventSet) error {
	o, err := p.find(number)
	if err != nil {
		return err
	}
	_, err = p.take(o, event&o.Events)
	return err
}

// find returns what the queue is owed of a bundle.
func (p *picker) find(number uint64) (*openBundle, error) {
	if o := p.q.open[number]; o != nil {
		return o, nil
	}
	value, err := store.Get(p.db, format.OwedKey(p.q.id, number))
	if errors.Is(err, journal.ErrNotFound) {
		p.lost(number)
		return &openBundle{number: number}, nil
	}
	if err != nil {
		return nil, err
	}
	o, err := format.DecodeOwed(value)
	return &openBundle{number: number, Owed: o}, err
}

// fresh leases what was not leased since the store was opened. What an earlier opening had scheduled is among it, in its
// place: taken by the times that had been set, a later event could come before an earlier one of the same key.
func (p *picker) fresh() error {
	q := p.q
	if p.full || format.BundleOf(q.cursor) > p.durable {
		return nil
	}
	err := store.Scan(p.db, format.OwedKey(q.id, format.BundleOf(q.cursor)), format.OwedKey(q.id, p.durable+1), func(key, value []byte) (bool, error) {
		_, number, ok := format.ParseOwedKey(key)
		if !ok {
			return false, format.ErrMalformed
		}
		return p.takeOwed(number, value)
	})
	if err == nil && !p.full {
		q.cursor = format.SequenceOf(p.durable+1, 0)
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
		if o.Owed, err = format.DecodeOwed(value); err != nil {
			return false, err
		}
	}
	wanted := o.Events &^ o.leased()
	if number == format.BundleOf(q.cursor) {
		wanted &= format.SetFrom(format.PositionOf(q.cursor))
	}
	left, err := p.take(o, wanted)
	if err != nil {
		return false, err
	}
	if p.full {
		q.cursor = format.SequenceOf(number, left.First())
		return false, nil
	}
	q.cursor = format.SequenceOf(number+1, 0)
	return true, nil
}

// take leases events of a bundle. Those that the limit does not allow are left, and full is set then.
func (p *picker) take(o *openBundle, wanted format.EventSet) (left format.EventSet, err error) {
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
	if wanted&format.SetFrom(len(p.current.Events)) != 0 {
		return 0, format.ErrMalformed
	}
	chosen := p.choose(wanted)
	for run := range chosen.Runs {
		p.deliver(o, run)
	}
	if chosen != 0 {
		o.size, o.others = p.size, p.current.Sinks.Without(p.q.id)
		p.q.open[o.number] = o
	}
	return wanted &^ chosen, nil
}

// deliver adds neighbouring events, whose payloads are copied as one.
func (p *picker) deliver(o *openBundle, run format.EventSet) {
	q := p.q
	rest := q.j.payloads.copyOf(p.current.Payloads(run))
	q.leases++
	o.leases = append(o.leases, lease{number: q.leases, events: run, payloads: rest})
	if p.deliveries == nil {
		p.deliveries = make([]journal.Delivery, 0, p.expected(run.Count()))
	}
	for n := range run.All {
		e := &p.current.Events[n]
		s, _ := o.ScheduleOf(n)
		size := len(e.Payload)
		p.deliveries = append(p.deliveries, journal.Delivery{
			Sequence:    format.SequenceOf(o.number, n),
			OrderingKey: e.OrderingKey,
			AcceptedAt:  format.FromMillis(e.AcceptedAt),
			Attempts:    s.Attempts,
			Payload:     rest[:size:size],
			Lease:       q.leases,
		})
		rest = rest[size:]
		if q.name == journal.History {
			d := &p.deliveries[len(p.deliveries)-1]
			d.Sinks, d.SinksKnown = p.names.of(q, &p.current, p.number, n)
		}
	}
}

// expected returns how many deliveries there may be, at least some.
func (p *picker) expected(some int) int {
	return max(some, min(p.limit.Events, int(p.q.pending.Load())))
}

// choose returns those of the wanted events that the limit allows.
func (p *picker) choose(wanted format.EventSet) (chosen format.EventSet) {
	count := len(p.deliveries)
	for n := range wanted.All {
		size := len(p.current.Events[n].Payload)
		if count >= max(p.limit.Events, 1) || p.limit.Bytes > 0 && count > 0 && p.bytes+size > p.limit.Bytes {
			p.full = true
			break
		}
		count++
		p.bytes += size
		chosen |= format.SetOf(n)
	}
	return chosen
}

// read makes a bundle the current one. It returns false when the bundle is not there.
func (p *picker) read(number uint64) (found bool, err error) {
	if p.number == number && p.size > 0 {
		return true, nil
	}
	if p.bundles == nil {
		p.bundles, err = p.db.NewIter(&pebble.IterOptions{LowerBound: []byte{format.TableEvents}, UpperBound: []byte{format.TableEvents + 1}})
		if err != nil {
			return false, err
		}
	}
	p.number, p.size = number, 0
	if !p.seek(format.BundleKey(number)) {
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
	if p.current.Events == nil {
		p.current.Events = make([]format.Event, 0, format.MaxBundleEvents)
	}
	p.current, err = format.DecodeBundle(value, p.current.Events[:0])
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
