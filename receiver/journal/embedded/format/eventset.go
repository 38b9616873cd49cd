package format

import "math/bits"

// SequenceOf numbers an event by its bundle and its position there, 0 to 63.
func SequenceOf(bundle uint64, position int) uint64 { return bundle<<bundleBits | uint64(position) }

// BundleOf returns the bundle of the event with that number.
func BundleOf(sequence uint64) uint64 { return sequence >> bundleBits }

// PositionOf returns the position of the event with that number in its bundle.
func PositionOf(sequence uint64) int { return int(sequence & (MaxBundleEvents - 1)) }

// EventSet is a set of events of one bundle: bit n is the event at position n.
type EventSet uint64

// SetOf returns the set of the event at position n.
func SetOf(n int) EventSet { return 1 << n }

// SetFrom returns the set of all events from position n on.
func SetFrom(n int) EventSet { return ^EventSet(0) << n }

// Count returns how many events the set has.
func (s EventSet) Count() int { return bits.OnesCount64(uint64(s)) }

// First returns the lowest position in the set; 64 = the set is empty.
func (s EventSet) First() int { return bits.TrailingZeros64(uint64(s)) }

// All yields the positions in the set in order.
func (s EventSet) All(yield func(int) bool) {
	for ; s != 0; s &= s - 1 {
		if !yield(s.First()) {
			return
		}
	}
}

// Runs yields the sets of neighbours in the set, in order.
func (s EventSet) Runs(yield func(EventSet) bool) {
	for s != 0 {
		run := s &^ (s + SetOf(s.First()))
		if !yield(run) {
			return
		}
		s &^= run
	}
}
