package format

import (
	"encoding/binary"

	"github.com/klauspost/compress/s2"
)

// BundleWriter collects the events of a bundle and encodes them. The zero value is an empty one; it is used again after reset. It is for
// one goroutine.
type BundleWriter struct {
	events []*Event
	bytes  int
	header []byte // scratch
	// alike says that all events are worth to be compressed together; joined and packed are scratch for that.
	alike          bool
	joined, packed []byte
	isPacked       bool
}

// Debt says which events of a bundle a sink is owed.
type Debt struct {
	Sink   uint32
	Events EventSet
}

// Count returns how many events were added.
func (w *BundleWriter) Count() int { return len(w.events) }

// Size returns how many bytes the events take that were added: their ordering keys and payloads.
func (w *BundleWriter) Size() int { return w.bytes }

// Fits reports whether the bundle may take e. The first event always fits.
func (w *BundleWriter) Fits(e *Event) bool {
	return len(w.events) == 0 || len(w.events) < MaxBundleEvents && w.bytes+e.Size() <= MaxBundleBytes
}

// Add takes e, which must not change until reset, and returns its position. alike says that it is like those added before and after it.
func (w *BundleWriter) Add(e *Event, alike bool) (position int) {
	w.alike = alike && (w.alike || len(w.events) == 0)
	w.events = append(w.events, e)
	w.bytes += e.Size()
	return len(w.events) - 1
}

// Reset forgets the events and keeps the memory.
func (w *BundleWriter) Reset() {
	clear(w.events)
	w.events, w.bytes = w.events[:0], 0
}

// Prepare encodes what stands before the ordering keys, and returns the size of the value. Each sink is named once in debts.
//
// A bundle is: the ids of the sinks, the number of events and of the bytes of their ordering keys; where there are several sinks, the
// events that each is owed, in the order of the ids; for each event the acceptance time and the lengths of its ordering key and payload;
// all ordering keys; all payloads, compressed where it is worth it.
func (w *BundleWriter) Prepare(debts []Debt) (size int) {
	keyBytes := 0
	for _, e := range w.events {
		keyBytes += len(e.OrderingKey)
	}
	size = w.bytes
	if w.isPacked = w.pack(); w.isPacked {
		size = keyBytes + len(w.packed)
	}
	w.describe(debts, keyBytes)
	return len(w.header) + size
}

// Fill writes the value that was prepared into dst, which has its size.
func (w *BundleWriter) Fill(dst []byte) {
	rest := dst[copy(dst, w.header):]
	for _, e := range w.events {
		rest = rest[copy(rest, e.OrderingKey):]
	}
	if w.isPacked {
		copy(rest, w.packed)
		return
	}
	for _, e := range w.events {
		rest = rest[copy(rest, e.Payload):]
	}
}

// describe makes the header.
func (w *BundleWriter) describe(debts []Debt, keyBytes int) {
	header := binary.AppendUvarint(w.header[:0], uint64(len(debts)))
	for _, d := range debts {
		header = binary.AppendUvarint(header, uint64(d.Sink))
	}
	count := uint64(len(w.events))
	if w.isPacked {
		count |= packedBundle
	}
	if len(debts) > 1 {
		count |= sharedBundle
	}
	header = binary.AppendUvarint(header, count)
	header = binary.AppendUvarint(header, uint64(keyBytes))
	if len(debts) > 1 {
		for _, d := range debts {
			header = binary.AppendUvarint(header, uint64(d.Events))
		}
	}
	for _, e := range w.events {
		header = binary.AppendUvarint(header, e.AcceptedAt)
		header = binary.AppendUvarint(header, uint64(len(e.OrderingKey)))
		header = binary.AppendUvarint(header, uint64(len(e.Payload)))
	}
	w.header = header
}

// pack compresses all payloads into w.packed, and reports whether that is worth it.
func (w *BundleWriter) pack() bool {
	if !w.alike || len(w.events) < minPacked {
		return false
	}
	w.joined = w.joined[:0]
	for _, e := range w.events {
		w.joined = append(w.joined, e.Payload...)
	}
	w.packed = s2.Encode(w.packed[:cap(w.packed)], w.joined)
	return len(w.packed) <= len(w.joined)/2
}
