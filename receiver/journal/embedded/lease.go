package embedded

import (
	"bytes"
	"sync"
)

// lease is what was handed out of a bundle at once: neighbouring events.
type lease struct {
	// number is that of [journal.Delivery.Lease].
	number uint64
	// events are those that were not settled yet.
	events   places
	payloads *payloads
}

// payloads are those of a lease, one after the other.
type payloads struct{ bytes []byte }

// maxIdlePayloads is how many buffers of 64 KiB are kept: more than four batches of 1 MiB take.
const maxIdlePayloads = 96

// payloadMemory is the memory of leases that have ended. Without it the payloads would be most of the garbage of a delivery; a
// sync.Pool, which each collection empties, leaves a quarter of it.
type payloadMemory struct {
	mu   sync.Mutex
	idle []*payloads
}

// copyOf returns a copy of src. Only what fills at least half of a bundle is worth memory that is used again.
func (m *payloadMemory) copyOf(src []byte) *payloads {
	if len(src) < maxBundleBytes/2 || len(src) > maxBundleBytes {
		return &payloads{bytes.Clone(src)}
	}
	p := m.take()
	p.bytes = append(p.bytes[:0], src...)
	return p
}

func (m *payloadMemory) take() *payloads {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.idle) == 0 {
		return &payloads{make([]byte, 0, maxBundleBytes)}
	}
	last := len(m.idle) - 1
	p := m.idle[last]
	m.idle[last] = nil
	m.idle = m.idle[:last]
	return p
}

// release takes back what copyOf returned.
func (m *payloadMemory) release(p *payloads) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cap(p.bytes) == maxBundleBytes && len(m.idle) < maxIdlePayloads {
		m.idle = append(m.idle, p)
	}
}

// end ends the lease of one event, and reports whether it was leased under that number.
func (o *openBundle) end(number uint64, event places, ended func(*payloads)) bool {
	for i := range o.leases {
		l := &o.leases[i]
		if l.number != number || l.events&event == 0 {
			continue
		}
		o.leased &^= event
		if l.events &^= event; l.events == 0 {
			ended(l.payloads)
			o.leases = append(o.leases[:i], o.leases[i+1:]...)
		}
		return true
	}
	return false
}
