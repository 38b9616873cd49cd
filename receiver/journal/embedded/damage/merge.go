package damage

import (
	"bytes"
	"cmp"
	"container/heap"
	"errors"
	"iter"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"
)

// operation is what was done to a key.
type operation struct {
	key      []byte
	sequence uint64
	kind     pebble.InternalKeyKind
	value    []byte
}

// compare sorts by key, the newest first.
func (o *operation) compare(other *operation) int {
	return cmp.Or(bytes.Compare(o.key, other.key), cmp.Compare(other.sequence, o.sequence), cmp.Compare(other.kind, o.kind))
}

// deletedRange is a range that was deleted: what is older is gone.
type deletedRange struct {
	from, to []byte
	sequence uint64
}

// merge finds the newest of each key in tables and logs.
type merge struct {
	sources operationHeap
	// ranges are those that were not reached, and open those that were reached and not left.
	ranges, open []deletedRange
	logs         []operation
	// flushed is the number of the newest operation in a table: up to there, what logs have is in tables, or was there and has gone.
	flushed uint64
	closers []func() error
	err     error
}

// addTable adds a table, which the merge closes. lost is told how many of its blocks cannot be read.
func (m *merge) addTable(t *tableReader, lost func(blocks int)) error {
	m.closers = append(m.closers, t.close)
	err := t.ranges(func(from, to []byte, newest uint64) {
		m.flushed = max(m.flushed, newest)
		m.ranges = append(m.ranges, deletedRange{bytes.Clone(from), bytes.Clone(to), newest})
	})
	unreadable := 0
	if errors.Is(err, errUnreadable) {
		unreadable, err = 1, nil
	}
	if err != nil {
		return err
	}
	newest, err := t.newest()
	if err != nil {
		return err
	}
	m.flushed = max(m.flushed, newest)
	next, stop := iter.Pull(func(yield func(operation) bool) {
		blocks, err := t.entries(func(key pebble.InternalKey, value []byte) error {
			if !yield(operation{key.UserKey, uint64(key.SeqNum()), key.Kind(), value}) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			m.err = errors.Join(m.err, err)
		}
		if blocks += unreadable; blocks > 0 {
			lost(blocks)
		}
	})
	m.closers = append(m.closers, func() error { stop(); return nil })
	m.add(next)
	return nil
}

var errStopped = errors.New("stopped")

func (m *merge) add(next func() (operation, bool)) {
	if first, ok := next(); ok {
		m.sources = append(m.sources, &source{operation: first, next: next})
	}
}

// addBatch adds the operations of a batch of a log that are in no table.
func (m *merge) addBatch(record []byte) {
	sequence := uint64(batchrepr.ReadSeqNum(record))
	record = bytes.Clone(record)
	for r := batchrepr.Read(record); ; {
		kind, key, value, ok, err := r.Next()
		if err != nil || !ok {
			return
		}
		if kind == pebble.InternalKeyKindLogData {
			continue
		}
		switch {
		case sequence <= m.flushed:
		case kind == pebble.InternalKeyKindRangeDelete:
			m.ranges = append(m.ranges, deletedRange{key, value, sequence})
		default:
			m.logs = append(m.logs, operation{key, sequence, kind, value})
		}
		sequence++
	}
}

// sortLogs makes a source of what the logs have.
func (m *merge) sortLogs() {
	slices.SortFunc(m.logs, func(a, b operation) int { return a.compare(&b) })
	rest := m.logs
	m.add(func() (operation, bool) {
		if len(rest) == 0 {
			return operation{}, false
		}
		first := rest[0]
		rest = rest[1:]
		return first, true
	})
}

// run calls visit with the value of each key that there is.
func (m *merge) run(visit func(key, value []byte) error) error {
	slices.SortFunc(m.ranges, func(a, b deletedRange) int { return bytes.Compare(a.from, b.from) })
	heap.Init(&m.sources)
	var last []byte
	for started := false; len(m.sources) > 0; started = true {
		s := m.sources[0]
		if !started || !bytes.Equal(s.key, last) {
			last = append(last[:0], s.key...)
			if s.kind == pebble.InternalKeyKindSet && m.deletedAt(s.key) <= s.sequence {
				if err := visit(s.key, s.value); err != nil {
					return err
				}
			}
		}
		m.sources.advance()
	}
	return m.err
}

// deletedAt returns when the newest range that holds key was deleted, or 0. Keys are asked for in order.
func (m *merge) deletedAt(key []byte) (newest uint64) {
	for len(m.ranges) > 0 && bytes.Compare(m.ranges[0].from, key) <= 0 {
		m.open, m.ranges = append(m.open, m.ranges[0]), m.ranges[1:]
	}
	m.open = slices.DeleteFunc(m.open, func(r deletedRange) bool { return bytes.Compare(r.to, key) <= 0 })
	for _, r := range m.open {
		newest = max(newest, r.sequence)
	}
	return newest
}

func (m *merge) close() error {
	var errs []error
	for _, c := range slices.Backward(m.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// source gives operations in order.
type source struct {
	operation
	next func() (operation, bool)
}

// operationHeap has the source with the first operation at its top.
type operationHeap []*source

// Len returns the number of sources; this and the following four implement heap.Interface.
func (h *operationHeap) Len() int { return len(*h) }

// Less compares two sources.
func (h *operationHeap) Less(i, j int) bool { return (*h)[i].compare(&(*h)[j].operation) < 0 }

// Swap swaps two sources.
func (h *operationHeap) Swap(i, j int) { (*h)[i], (*h)[j] = (*h)[j], (*h)[i] }

// Push adds a source.
func (h *operationHeap) Push(x any) {
	if s, ok := x.(*source); ok {
		*h = append(*h, s)
	}
}

// Pop removes the last source.
func (h *operationHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// advance moves the first source on.
func (h *operationHeap) advance() {
	s := (*h)[0]
	var ok bool
	if s.operation, ok = s.next(); ok {
		heap.Fix(h, 0)
		return
	}
	heap.Pop(h)
}
