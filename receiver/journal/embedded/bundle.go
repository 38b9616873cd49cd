package embedded

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/klauspost/compress/s2"
)

// A bundle is what is stored under one key: neighbouring events of one group. It is written, read, merged and deleted as one,
// at a fraction of what single events cost.
const (
	// bundleBits is the size of an event's place in its bundle: a word has a bit for each.
	bundleBits      = 6
	maxBundleEvents = 1 << bundleBits
	// maxBundleBytes ends a bundle, so that a sink that is owed little of it reads little more. A larger event has its own.
	maxBundleBytes = 64 << 10
	// minPacked is how many events that are alike are worth to be compressed together.
	minPacked = 8
	// packedBundle is added to the number of events where their payloads are compressed.
	packedBundle = 1 << 7
	// sharedBundle is added to it where there are several sinks, and what each is owed follows.
	sharedBundle = 1 << 8
)

// sequenceOf numbers an event by its bundle and its place there.
func sequenceOf(bundle uint64, place int) uint64 { return bundle<<bundleBits | uint64(place) }

func bundleOf(sequence uint64) uint64 { return sequence >> bundleBits }

func placeOf(sequence uint64) int { return int(sequence & (maxBundleEvents - 1)) }

// places are a set of events of one bundle.
type places uint64

func place(n int) places { return 1 << n }

// placesFrom are those from n on.
func placesFrom(n int) places { return ^places(0) << n }

func (p places) count() int { return bits.OnesCount64(uint64(p)) }

func (p places) first() int { return bits.TrailingZeros64(uint64(p)) }

// all yields them in order.
func (p places) all(yield func(int) bool) {
	for ; p != 0; p &= p - 1 {
		if !yield(p.first()) {
			return
		}
	}
}

// runs yields the sets of neighbours among them, in order.
func (p places) runs(yield func(places) bool) {
	for p != 0 {
		run := p &^ (p + place(p.first()))
		if !yield(run) {
			return
		}
		p &^= run
	}
}

// bundleWriter collects the events of a bundle.
type bundleWriter struct {
	events []*pendingEntry
	owed   map[*queue]places
	bytes  int
	header []byte // scratch
	sinks  []*queue
	// alike says that all events are worth to be compressed together; joined and packed are scratch for that.
	alike          bool
	joined, packed []byte
}

// fits reports whether the bundle may take e.
func (w *bundleWriter) fits(e *pendingEntry) bool {
	return len(w.events) == 0 || len(w.events) < maxBundleEvents && w.bytes+e.size() <= maxBundleBytes
}

func (w *bundleWriter) add(e *pendingEntry) {
	if w.owed == nil {
		w.owed = map[*queue]places{}
	}
	for _, q := range e.sinks {
		w.owed[q] |= place(len(w.events))
	}
	w.alike = e.alike && (w.alike || len(w.events) == 0)
	w.events = append(w.events, e)
	w.bytes += e.size()
}

func (w *bundleWriter) reset() {
	clear(w.events)
	clear(w.owed)
	w.events, w.bytes = w.events[:0], 0
}

// write adds the bundle to b: the ids of the sinks, the number of events and of the bytes of their ordering keys; where there are several
// sinks, the events that each is owed, in the order of the ids; for each event the acceptance time and the lengths of its ordering key
// and payload; all ordering keys; all payloads, compressed where it is worth it.
func (w *bundleWriter) write(b *pebble.Batch, number uint64) error {
	keyBytes := 0
	for _, e := range w.events {
		keyBytes += len(e.orderingKey)
	}
	packed, size := w.pack(), w.bytes
	if packed != nil {
		size = keyBytes + len(packed)
	}
	header := w.describe(keyBytes, packed != nil)
	key := bundleKey(number)
	op := b.SetDeferred(len(key), len(header)+size)
	copy(op.Key, key)
	rest := op.Value[copy(op.Value, header):]
	for _, e := range w.events {
		rest = rest[copy(rest, e.orderingKey):]
	}
	if packed != nil {
		copy(rest, packed)
		return op.Finish()
	}
	for _, e := range w.events {
		rest = rest[copy(rest, e.payload):]
	}
	return op.Finish()
}

// describe returns what stands before the ordering keys. It is good until the next call.
func (w *bundleWriter) describe(keyBytes int, packed bool) []byte {
	w.sinks = slices.AppendSeq(w.sinks[:0], maps.Keys(w.owed))
	header := binary.AppendUvarint(w.header[:0], uint64(len(w.sinks)))
	for _, q := range w.sinks {
		header = binary.AppendUvarint(header, uint64(q.id))
	}
	count := uint64(len(w.events))
	if packed {
		count |= packedBundle
	}
	if len(w.sinks) > 1 {
		count |= sharedBundle
	}
	header = binary.AppendUvarint(header, count)
	header = binary.AppendUvarint(header, uint64(keyBytes))
	if len(w.sinks) > 1 {
		for _, q := range w.sinks {
			header = binary.AppendUvarint(header, uint64(w.owed[q]))
		}
	}
	for _, e := range w.events {
		header = binary.AppendUvarint(header, e.acceptedAt)
		header = binary.AppendUvarint(header, uint64(len(e.orderingKey)))
		header = binary.AppendUvarint(header, uint64(len(e.payload)))
	}
	w.header = header
	return header
}

// pack returns all payloads, compressed; nil when that is not worth it.
func (w *bundleWriter) pack() []byte {
	if !w.alike || len(w.events) < minPacked {
		return nil
	}
	w.joined = w.joined[:0]
	for _, e := range w.events {
		w.joined = append(w.joined, e.payload...)
	}
	w.packed = s2.Encode(w.packed[:cap(w.packed)], w.joined)
	if len(w.packed) > len(w.joined)/2 {
		return nil
	}
	return w.packed
}

// unpack returns the payloads that pack compressed; they have the given length.
func unpack(packed []byte, size uint64) ([]byte, error) {
	if n, err := s2.DecodedLen(packed); err != nil || uint64(n) != size {
		return nil, errMalformed
	}
	joined, err := s2.Decode(nil, packed)
	if err != nil {
		return nil, errMalformed
	}
	return joined, nil
}

// bundle is what tableEvents holds.
type bundle struct {
	sinks  sinkIDs
	events []event
	// joined are all payloads, one after the other.
	joined []byte
	// owed are the events that each sink was owed at first, in the order of sinks; empty where there is one sink, or an earlier release
	// stored the bundle.
	owed []byte
}

// event is one of a bundle.
type event struct {
	acceptedAt  uint64
	orderingKey string
	payload     []byte
}

// decodeBundle reads a bundle. Its sinks are part of value, and its payloads unless they were compressed; its events are appended to scratch.
func decodeBundle(value []byte, scratch []event) (bundle, error) {
	r := reader{rest: value}
	b := bundle{events: scratch}
	sinks := r.uvarint()
	b.sinks = r.uvarints(sinks)
	count, keyBytes := r.uvarint(), r.uvarint()
	packed, shared := count&packedBundle != 0, count&sharedBundle != 0
	count &^= packedBundle | sharedBundle
	if shared {
		b.owed = r.uvarints(sinks)
	}
	if count > maxBundleEvents {
		return b, errMalformed
	}
	var lengths [2 * maxBundleEvents]uint64
	joined := uint64(0)
	for n := range count {
		b.events = append(b.events, event{acceptedAt: r.uvarint()})
		lengths[2*n], lengths[2*n+1] = r.uvarint(), r.uvarint()
		joined += lengths[2*n+1]
	}
	keys := string(r.bytes(keyBytes))
	if packed && r.err == nil {
		r.rest, r.err = unpack(r.rest, joined)
	}
	b.joined = r.rest
	for n := range b.events {
		e := &b.events[n]
		size := min(lengths[2*n], uint64(len(keys)))
		e.orderingKey, keys = keys[:size], keys[size:]
		e.payload = r.bytes(lengths[2*n+1])
	}
	return b, r.err
}

// owedAtFirst returns what each sink was owed when the bundle was stored; nil when that is not known.
func (b *bundle) owedAtFirst() map[uint32]places {
	ids := b.sinks.without(0)
	all := ^placesFrom(len(b.events))
	if len(b.events) == maxBundleEvents {
		all = placesFrom(0)
	}
	if len(ids) == 1 {
		return map[uint32]places{ids[0]: all}
	}
	r, first := reader{rest: b.owed}, make(map[uint32]places, len(ids))
	for _, id := range ids {
		first[id] = places(r.uvarint()) & all
	}
	if r.err != nil {
		return nil
	}
	return first
}

// payloads returns those of neighbouring events, one after the other.
func (b *bundle) payloads(run places) []byte {
	from, size := 0, 0
	for i := range b.events {
		switch {
		case run&place(i) != 0:
			size += len(b.events[i].payload)
		case size == 0:
			from += len(b.events[i].payload)
		}
	}
	return b.joined[from : from+size]
}

// readEvent returns a copy of one event.
func readEvent(db *pebble.DB, sequence uint64) (event, error) {
	value, err := get(db, bundleKey(bundleOf(sequence)))
	if err != nil {
		return event{}, fmt.Errorf("bundle %d: %w", bundleOf(sequence), err)
	}
	b, err := decodeBundle(value, nil)
	if err != nil {
		return event{}, err
	}
	if placeOf(sequence) >= len(b.events) {
		return event{}, errMalformed
	}
	return b.events[placeOf(sequence)], nil
}

// sinkIDs are the ids of sinks, as they are stored.
type sinkIDs []byte

// without returns the ids but for one, 0 being none; nil when there is no other.
func (s sinkIDs) without(id uint32) (others []uint32) {
	for r := (reader{rest: s}); len(r.rest) > 0; {
		if other := uint32(r.uvarint()); other != id {
			others = append(others, other)
		}
	}
	return others
}
