package embedded

import (
	"bytes"
	"slices"
	"sync"

	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
)

// lease is what was handed out of a bundle at once: neighbouring events.
type lease struct {
	// number is that of [journal.Delivery.Lease].
	number uint64
	// events are those that were not settled yet.
	events format.EventSet
	// payloads are those of all its events, one after the other.
	payloads []byte
}

// maxIdlePayloads is how many buffers of 64 KiB are kept: more than four batches of 1 MiB take.
const maxIdlePayloads = 96

// payloadMemory is the memory of leases that have ended. Without it the payloads would be most of the garbage of a delivery; a
// sync.Pool, which each collection empties, leaves a quarter of it.
type payloadMemory struct {
	mu   sync.Mutex
	idle [][]byte
}

// copyOf returns a copy of src. Only what fills at least half of a bundle is worth memory that is used again.
func (m *payloadMemory) copyOf(src []byte) []byte {
	if len(src) < format.MaxBundleBytes/2 || len(src) > format.MaxBundleBytes {
		return bytes.Clone(src)
	}
	return append(m.take(), src...)
}

func (m *payloadMemory) take() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.idle) == 0 {
		return make([]byte, 0, format.MaxBundleBytes)
	}
	last := len(m.idle) - 1
	b := m.idle[last]
	m.idle[last] = nil
	m.idle = m.idle[:last]
	return b[:0]
}

// release takes back what copyOf returned.
func (m *payloadMemory) release(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cap(b) == format.MaxBundleBytes && len(m.idle) < maxIdlePayloads {
		m.idle = append(m.idle, b)
	}
}

// leased are the events that were handed out, a part of those that are owed.
func (o *openBundle) leased() (events format.EventSet) {
	for i := range o.leases {
		events |= o.leases[i].events
	}
	return events
}

// end ends the lease of one event; ok is false when it is not leased under that number. It returns the payloads of a lease that
// has ended as a whole.
func (o *openBundle) end(number uint64, event format.EventSet) (freed []byte, ok bool) {
	i := slices.IndexFunc(o.leases, func(l lease) bool { return l.number == number && l.events&event != 0 })
	if i < 0 {
		return nil, false
	}
	l := &o.leases[i]
	if l.events &^= event; l.events == 0 {
		freed = l.payloads
		o.leases = slices.Delete(o.leases, i, i+1)
	}
	return freed, true
}
