package embedded

import (
	"context"
	"errors"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
)

// request is one Append on its way to the committer. It holds the caller's payloads.
type request struct {
	entries     []pendingEntry
	deadLetters []pendingDeadLetter
	resolves    []uint64
	// keys and queues are the memory of those of all entries.
	keys   []journal.KeyHash
	queues []*queue
	// adding is who adds how much to the store, about, and letterBytes how much of it are dead letters.
	adding      journal.Appending
	letterBytes int64
	done        chan reply
}

type pendingEntry struct {
	format.Event
	keys  []journal.KeyHash
	sinks []*queue
	alike bool // as those before and behind it
}

type pendingDeadLetter struct {
	keys    []journal.KeyHash
	record  []byte
	payload []byte
}

func (d *pendingDeadLetter) size() int64 { return int64(len(d.record) + len(d.payload)) }

// reply is the answer to a request.
type reply struct {
	receipt journal.Receipt
	// resolved counts the dead letters that were removed.
	resolved int
	err      error
}

func (r *request) answer(a reply) { r.done <- a }

// Append stores b and returns once it is on stable storage. A dead letter that is a duplicate counts among
// Receipt.Duplicates. The error is [journal.ErrFull], [journal.ErrClosed], wraps [journal.ErrUnavailable], or is that of
// ctx; in the last case b may still be stored.
func (j *Journal) Append(ctx context.Context, b journal.Batch) (journal.Receipt, error) {
	a, err := j.submit(ctx, &b)
	return a.receipt, err
}

// submit has the committer carry b out and waits for the answer.
func (j *Journal) submit(ctx context.Context, b *journal.Batch) (reply, error) {
	if err := errors.Join(j.refusal(), ctx.Err()); err != nil {
		return reply{}, err
	}
	r, _ := j.idle.Get().(*request) // it holds nothing else
	if err := r.fill(j, b); err != nil {
		return reply{}, err
	}
	if !j.arrivals.put(r) {
		return reply{}, journal.ErrClosed
	}
	select {
	case a := <-r.done:
		r.clear()
		j.idle.Put(r)
		return a, a.err
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

// clear forgets everything but the memory.
func (r *request) clear() {
	clear(r.entries)
	clear(r.queues)
	*r = request{entries: r.entries[:0], keys: r.keys[:0], queues: r.queues[:0], done: r.done}
}

// fill takes b over. What is to be encoded or hashed is so here, not on the committer, so that many do it at a time.
func (r *request) fill(j *Journal, b *journal.Batch) error {
	r.adding = journal.Appending{Endpoint: b.Endpoint, Unverified: b.Unverified}
	r.resolves = append(r.resolves, b.Resolves...)
	for i := range b.Entries {
		r.addEntry(j, &b.Entries[i], b.Alike)
	}
	for i := range b.DeadLetters {
		if err := r.addDeadLetter(&b.DeadLetters[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *request) addEntry(j *Journal, e *journal.Entry, alike bool) {
	p := pendingEntry{alike: alike, Event: format.Event{AcceptedAt: format.ToMillis(e.AcceptedAt), OrderingKey: e.OrderingKey}}
	from := len(r.keys)
	for _, key := range e.DedupeKeys {
		r.keys = append(r.keys, journal.HashKey(key))
	}
	r.keys = append(r.keys, e.KeyHashes...)
	p.keys = r.keys[from:]
	from = len(r.queues)
	for _, name := range e.Sinks {
		r.queues = append(r.queues, j.queues.get(j, name))
	}
	p.sinks = r.queues[from:]
	if len(p.sinks) > 0 {
		p.Payload = e.Payload
	}
	r.entries = append(r.entries, p)
	r.adding.Size += int64(p.Size())
}

func (r *request) addDeadLetter(d *journal.DeadLetter) error {
	record, err := format.EncodeDeadLetter(d)
	if err != nil {
		return err
	}
	p := pendingDeadLetter{record: record, payload: d.Payload}
	if d.DedupeKey != "" {
		p.keys = []journal.KeyHash{journal.HashKey(d.DedupeKey)}
	}
	r.deadLetters = append(r.deadLetters, p)
	r.letterBytes += p.size()
	r.adding.Size += p.size()
	return nil
}
