package embedded

import (
	"bytes"
	"context"

	"github.com/mailvane/mailvane/receiver/journal"
)

// request is one Append on its way to the committer. It owns its memory: the caller may be gone.
type request struct {
	entries     []pendingEntry
	deadLetters []pendingDeadLetter
	resolves    []uint64
	// size is about how much the request adds to the store.
	size int64
	done chan reply
}

type pendingEntry struct {
	keys        []dedupeHash
	sinks       []*queue
	acceptedAt  uint64
	orderingKey string
	payload     []byte
}

func (e *pendingEntry) size() int { return len(e.orderingKey) + len(e.payload) }

type pendingDeadLetter struct {
	keys    []dedupeHash
	record  []byte
	payload []byte
}

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
	r, err := j.newRequest(&b)
	if err != nil {
		return journal.Receipt{}, err
	}
	a := j.submit(ctx, r)
	return a.receipt, a.err
}

// submit has the committer carry r out and waits for the answer.
func (j *Journal) submit(ctx context.Context, r *request) reply {
	if err := j.refusal(); err != nil {
		return reply{err: err}
	}
	select {
	case j.requests <- r:
	case <-ctx.Done():
		return reply{err: ctx.Err()}
	case <-j.closing:
		return reply{err: journal.ErrClosed}
	}
	select {
	case a := <-r.done:
		return a
	case <-ctx.Done():
		return reply{err: ctx.Err()}
	}
}

// newRequest encodes b. That happens here, not on the committer, so that many do it at a time.
func (j *Journal) newRequest(b *journal.Batch) (*request, error) {
	r := &request{
		entries:     make([]pendingEntry, len(b.Entries)),
		deadLetters: make([]pendingDeadLetter, len(b.DeadLetters)),
		resolves:    append([]uint64(nil), b.Resolves...),
		done:        make(chan reply, 1),
	}
	payloads := make([]byte, 0, payloadBytes(b.Entries))
	for i := range b.Entries {
		e := &b.Entries[i]
		p := pendingEntry{
			keys: make([]dedupeHash, len(e.DedupeKeys)), sinks: make([]*queue, len(e.Sinks)),
			acceptedAt: toMillis(e.AcceptedAt), orderingKey: e.OrderingKey,
		}
		for k, key := range e.DedupeKeys {
			p.keys[k] = hashDedupeKey(key)
		}
		for s, name := range e.Sinks {
			p.sinks[s] = j.queues.get(j, name)
		}
		if len(p.sinks) > 0 {
			from := len(payloads)
			payloads = append(payloads, e.Payload...)
			p.payload = payloads[from:]
		}
		r.entries[i] = p
		r.size += int64(p.size())
	}
	for i := range b.DeadLetters {
		d := &b.DeadLetters[i]
		record, err := encodeDeadLetter(d)
		if err != nil {
			return nil, err
		}
		p := pendingDeadLetter{record: record, payload: bytes.Clone(d.Payload)}
		if d.DedupeKey != "" {
			p.keys = []dedupeHash{hashDedupeKey(d.DedupeKey)}
		}
		r.deadLetters[i] = p
		r.size += int64(len(record) + len(p.payload))
	}
	return r, nil
}

func payloadBytes(entries []journal.Entry) (n int) {
	for i := range entries {
		n += len(entries[i].Payload)
	}
	return n
}
