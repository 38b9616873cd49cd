package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// Stats returns a snapshot. After Open, while the store is being counted in the background, Pending and DeadLetters are still
// growing; they are never too high. [Journal.Recall] waits for that.
func (j *Journal) Stats() journal.Stats {
	s := journal.Stats{
		Pending:        map[string]int64{},
		OldestAccepted: map[string]time.Time{},
		DeadLetters:    max(j.deadLetters.Load(), 0),
		MaxBytes:       j.opts.MaxBytes,
		Syncs:          j.syncs.Load(),
		Lost:           j.losses.Deliveries(),
		Damage:         j.losses.Text(j.opts.Dir),
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	db := j.db
	s.Warning = j.space.Warning(j.letterBytes.Load())
	if refusal := j.refusal(); refusal != nil {
		db, s.Problem = nil, refusal.Error()
	}
	if db != nil {
		used, _ := j.space.Measure(&storeUsage{o: &j.opts, db: db})
		s.UsedBytes, s.Problem = used, j.space.Problem()
	}
	for _, q := range j.queues.all() {
		s.Pending[q.name] = max(q.pending.Load(), 0)
		if db == nil {
			continue
		}
		if at, ok := q.oldestAccepted(db); ok {
			s.OldestAccepted[q.name] = at
		}
	}
	return s
}

// oldestAccepted returns the acceptance time of the first event that is owed.
func (q *queue) oldestAccepted(db *pebble.DB) (at time.Time, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	upper := format.OwedKey(q.id, q.j.durable.Load()+1)
	err := store.Scan(db, format.OwedKey(q.id, q.oldest), upper, func(key, value []byte) (bool, error) {
		o, err := format.DecodeOwed(value)
		if err != nil {
			return false, err
		}
		_, q.oldest, _ = format.ParseOwedKey(key)
		e, err := store.ReadEvent(db, format.SequenceOf(q.oldest, o.Events.First()))
		at, ok = format.FromMillis(e.AcceptedAt), err == nil
		return false, err
	})
	if err != nil {
		q.j.opts.Logger.Warn("oldest event of a queue cannot be read", "sink", q.name, "error", err)
	}
	return at, ok
}

// counter counts what a store held when it was opened, without reading payloads. What happens meanwhile is counted by
// those who do it.
type counter struct {
	j           *Journal
	db          *pebble.DB
	owed        *pebble.Iterator
	deadLetters *pebble.Iterator
}

func (j *Journal) newCounter(db *pebble.DB) (*counter, error) {
	j.deadLetters.Store(0)
	j.letterBytes.Store(0)
	c := &counter{j: j, db: db}
	var errs [2]error
	c.owed, errs[0] = db.NewIter(&pebble.IterOptions{LowerBound: []byte{format.TableOwed}, UpperBound: []byte{format.TableOwed + 1}})
	c.deadLetters, errs[1] = db.NewIter(&pebble.IterOptions{
		LowerBound: []byte{format.TableDeadLetters}, UpperBound: []byte{format.TableDeadLetters + 1},
	})
	return c, errors.Join(errs[:]...)
}

func (c *counter) close() error {
	if c == nil {
		return nil
	}
	var errs []error
	for _, iter := range []*pebble.Iterator{c.owed, c.deadLetters} {
		if iter != nil {
			errs = append(errs, iter.Close())
		}
	}
	return errors.Join(errs...)
}

// events counts what is owed of the present bundle.
func (c *counter) events() int64 {
	value, err := c.owed.ValueAndErr()
	if err != nil {
		return 0 // the iterator ends with it
	}
	o, _ := format.DecodeOwed(value)
	return int64(o.Events.Count())
}

// letterBytes returns the size of the present dead letter.
func (c *counter) letterBytes() int64 {
	record, err := c.deadLetters.ValueAndErr()
	id, ok := format.LastNumber(c.deadLetters.Key())
	if err != nil || !ok {
		return 0 // the iterator ends with it
	}
	size, _ := recordedSize(c.db, id, record)
	return size
}

// run counts until it is done or ctx ends.
func (c *counter) run(ctx context.Context) {
	byID := map[uint32]*queue{}
	for _, q := range c.j.queues.all() {
		byID[q.id] = q
	}
	for valid := c.owed.First(); valid && ctx.Err() == nil; valid = c.owed.Next() {
		if sink, _, ok := format.ParseOwedKey(c.owed.Key()); ok && byID[sink] != nil {
			byID[sink].pending.Add(c.events())
		}
	}
	for valid := c.deadLetters.First(); valid && ctx.Err() == nil; valid = c.deadLetters.Next() {
		c.j.deadLetters.Add(1)
		c.j.letterBytes.Add(c.letterBytes())
	}
	if err := c.close(); err != nil {
		c.j.opts.Logger.Warn("journal could not be counted", "error", err)
	}
}
