package embedded

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// reconcileBatchBytes bounds what is written in one step.
const reconcileBatchBytes = 1 << 20

// reconciliation makes the tables of a store agree after something of one of them was lost. It holds no event back that is there:
// what a sink is owed is found again by the bundle, and what is owed and not there is counted.
type reconciliation struct {
	j     *Journal
	db    *pebble.DB
	batch *pebble.Batch
	names map[uint32]string

	lost, restored int
	letters        int64
}

// reconcile runs when damage was found since it last ran to its end. Nobody uses the store yet.
func (j *Journal) reconcile(db *pebble.DB) error {
	if !folder.AwaitsRecheck(j.opts.FS, j.opts.Dir) {
		return nil
	}
	r := &reconciliation{j: j, db: db, batch: db.NewBatch(), names: map[uint32]string{}}
	defer func() { _ = r.batch.Close() }() // it only gives the memory back
	for _, q := range j.queues.all() {
		r.names[q.id] = q.name
	}
	if err := errors.Join(r.debts(), r.bundles(), r.deadLetters(), r.write(0)); err != nil {
		return fmt.Errorf("check what damage has left: %w", err)
	}
	if err := db.LogData(nil, pebble.Sync); err != nil {
		return err
	}
	j.opts.Logger.Warn("journal was checked after damage", "lost deliveries", r.lost, "restored deliveries", r.restored, "lost dead letters", r.letters)
	return folder.RecheckDone(j.opts.FS, j.opts.Dir)
}

// write commits the batch when it is larger than least.
func (r *reconciliation) write(least int) error {
	if r.batch.Empty() || r.batch.Len() < least {
		return nil
	}
	err := errors.Join(r.batch.Commit(pebble.NoSync), r.batch.Close())
	r.batch = r.db.NewBatch()
	return err
}

func (r *reconciliation) lose(sink string, count int) {
	r.lost += count
	r.j.losses.Add(sink, count)
}

// debts removes what is owed of bundles that are not there, or to a sink whose name is not known.
func (r *reconciliation) debts() error {
	return store.Scan(r.db, []byte{format.TableOwed}, []byte{format.TableOwed + 1}, func(key, value []byte) (bool, error) {
		sink, number, ok := format.ParseOwedKey(key)
		name, known := r.names[sink]
		o, err := format.DecodeOwed(value)
		there := false
		if ok && known && err == nil {
			if there, err = store.Has(r.db, format.BundleKey(number)); err != nil {
				return false, err
			}
		}
		if there {
			return true, nil
		}
		r.lose(name, o.Events.Count())
		return r.step(r.batch.Delete(key, nil))
	})
}

func (r *reconciliation) step(err error) (bool, error) {
	err = errors.Join(err, r.write(reconcileBatchBytes))
	return err == nil, err
}

// bundles restores what is owed of those that no sink is owed anything of: in the step that ends the last debt a bundle goes.
func (r *reconciliation) bundles() error {
	return store.Scan(r.db, []byte{format.TableEvents}, []byte{format.TableEvents + 1}, func(key, value []byte) (bool, error) {
		number, ok := format.LastNumber(key)
		b, err := format.DecodeBundle(value, nil)
		if !ok || err != nil {
			r.lose("", len(b.Events))
			return r.step(r.batch.Delete(key, nil))
		}
		owed, err := r.isOwed(&b, number)
		if owed || err != nil {
			return err == nil, err
		}
		return r.step(r.restore(&b, number))
	})
}

func (r *reconciliation) isOwed(b *format.Bundle, number uint64) (bool, error) {
	for _, sink := range b.Sinks.Without(0) {
		if found, err := store.Has(r.db, format.OwedKey(sink, number)); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// restore has the sinks of a bundle owed what they were owed when it was stored. They may have had it.
func (r *reconciliation) restore(b *format.Bundle, number uint64) error {
	first := b.OwedAtFirst()
	if len(first) == 0 { // an earlier release did not store it
		r.lose("", len(b.Events))
		return r.batch.Delete(format.BundleKey(number), nil)
	}
	for sink, events := range first {
		o := format.Owed{Events: events}
		if _, known := r.names[sink]; !known {
			r.lose("", events.Count())
			continue
		}
		r.restored += events.Count()
		if err := r.batch.Set(format.OwedKey(sink, number), o.Encode(), nil); err != nil {
			return err
		}
	}
	return nil
}

// deadLetters removes those of which a half is missing.
func (r *reconciliation) deadLetters() error {
	halves := map[byte]byte{format.TableDeadLetters: format.TablePayloads, format.TablePayloads: format.TableDeadLetters}
	for table, other := range halves {
		err := store.Scan(r.db, []byte{table}, []byte{table + 1}, func(key, _ []byte) (bool, error) {
			id, ok := format.LastNumber(key)
			found := false
			if ok {
				var err error
				if found, err = store.Has(r.db, format.NumberKey(other, id)); err != nil {
					return false, err
				}
			}
			if found {
				return true, nil
			}
			r.letters++
			return r.step(r.batch.Delete(key, nil))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
