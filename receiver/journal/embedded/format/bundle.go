package format

import "github.com/klauspost/compress/s2"

// A bundle is what is stored under one key: neighbouring events of one group. It is written, read, merged and deleted as one,
// at a fraction of what single events cost.
const (
	// bundleBits is the size of an event's position in its bundle, in bits: a word has a bit for each.
	bundleBits = 6
	// MaxBundleEvents bounds the events of a bundle.
	MaxBundleEvents = 1 << bundleBits
	// MaxBundleBytes ends a bundle, so that a sink that is owed little of it reads little more. A larger event has its own.
	MaxBundleBytes = 64 << 10
	// minPacked is how many events that are alike are worth to be compressed together.
	minPacked = 8
	// packedBundle is added to the number of events where their payloads are compressed.
	packedBundle = 1 << 7
	// sharedBundle is added to it where there are several sinks, and what each is owed follows.
	sharedBundle = 1 << 8
)

// unpack returns the payloads that pack compressed; they have the given length.
func unpack(packed []byte, size uint64) ([]byte, error) {
	if n, err := s2.DecodedLen(packed); err != nil || uint64(n) != size {
		return nil, ErrMalformed
	}
	joined, err := s2.Decode(nil, packed)
	if err != nil {
		return nil, ErrMalformed
	}
	return joined, nil
}

// Bundle is what TableEvents holds: what was read of it. A [BundleWriter] writes it.
type Bundle struct {
	// Sinks are those that something of the bundle was owed to at first.
	Sinks  SinkIDs
	Events []Event
	// joined are all payloads, one after the other.
	joined []byte
	// owed are the events that each sink was owed at first, in the order of sinks; empty where there is one sink, or an earlier release
	// stored the bundle.
	owed []byte
}

// Event is one of a bundle.
type Event struct {
	AcceptedAt  uint64 // milliseconds since 1970
	OrderingKey string
	Payload     []byte
}

// Size returns how many bytes the event takes in a bundle, beside its header.
func (e *Event) Size() int { return len(e.OrderingKey) + len(e.Payload) }

// DecodeBundle reads a bundle. Its sinks are part of value, and its payloads unless they were compressed; its events are
// appended to scratch, which may be nil. The error is [ErrMalformed].
func DecodeBundle(value []byte, scratch []Event) (Bundle, error) {
	r := reader{rest: value}
	b := Bundle{Events: scratch}
	sinks := r.uvarint()
	b.Sinks = r.uvarints(sinks)
	count, keyBytes := r.uvarint(), r.uvarint()
	packed, shared := count&packedBundle != 0, count&sharedBundle != 0
	count &^= packedBundle | sharedBundle
	if shared {
		b.owed = r.uvarints(sinks)
	}
	if count > MaxBundleEvents {
		return b, ErrMalformed
	}
	var lengths [2 * MaxBundleEvents]uint64
	joined := uint64(0)
	for n := range count {
		b.Events = append(b.Events, Event{AcceptedAt: r.uvarint()})
		lengths[2*n], lengths[2*n+1] = r.uvarint(), r.uvarint()
		joined += lengths[2*n+1]
	}
	keys := string(r.bytes(keyBytes))
	if packed && r.err == nil {
		r.rest, r.err = unpack(r.rest, joined)
	}
	b.joined = r.rest
	for n := range b.Events {
		e := &b.Events[n]
		size := min(lengths[2*n], uint64(len(keys)))
		e.OrderingKey, keys = keys[:size], keys[size:]
		e.Payload = r.bytes(lengths[2*n+1])
	}
	return b, r.err
}

// OwedAtFirst returns what each sink was owed when the bundle was stored; nil when that is not known.
func (b *Bundle) OwedAtFirst() map[uint32]EventSet {
	ids := b.Sinks.Without(0)
	all := ^SetFrom(len(b.Events))
	if len(b.Events) == MaxBundleEvents {
		all = SetFrom(0)
	}
	if len(ids) == 1 {
		return map[uint32]EventSet{ids[0]: all}
	}
	r, first := reader{rest: b.owed}, make(map[uint32]EventSet, len(ids))
	for _, id := range ids {
		first[id] = EventSet(r.uvarint()) & all
	}
	if r.err != nil {
		return nil
	}
	return first
}

// Payloads returns those of neighbouring events, one after the other.
func (b *Bundle) Payloads(run EventSet) []byte {
	from, size := 0, 0
	for i := range b.Events {
		switch {
		case run&SetOf(i) != 0:
			size += len(b.Events[i].Payload)
		case size == 0:
			from += len(b.Events[i].Payload)
		}
	}
	return b.joined[from : from+size]
}

// SinkIDs are the ids of sinks, as they are stored.
type SinkIDs []byte

// Without returns the ids but for one, 0 being none; nil when there is no other.
func (s SinkIDs) Without(id uint32) (others []uint32) {
	for r := (reader{rest: s}); len(r.rest) > 0; {
		if other := uint32(r.uvarint()); other != id {
			others = append(others, other)
		}
	}
	return others
}
