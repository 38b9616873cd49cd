package format

import (
	"slices"
	"testing"
)

// FuzzDecodeBundle reads what was never written: it must be an error, and no more events than a bundle may hold.
func FuzzDecodeBundle(f *testing.F) {
	f.Add([]byte{1, 1, 2, 5, 1, 1, 6, 0, 2, 'k', 'a', 'b', 'c'})
	f.Add([]byte{0, 0})
	f.Add([]byte{1, 1, 1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0})
	f.Fuzz(func(t *testing.T, value []byte) {
		b, err := DecodeBundle(value, nil)
		if err != nil {
			return
		}
		if len(b.Events) > MaxBundleEvents {
			t.Errorf("%d events", len(b.Events))
		}
		all := EventSet(1)<<len(b.Events) - 1
		size := 0
		for i := range b.Events {
			size += len(b.Events[i].Payload)
		}
		if n := len(b.Payloads(all)); n != size {
			t.Errorf("the payloads together have %d bytes, and each for itself %d", n, size)
		}
		b.OwedAtFirst()
		b.Sinks.Without(1)
	})
}

// FuzzDecodeOwed holds what is read of any value against what is written of it.
func FuzzDecodeOwed(f *testing.F) {
	f.Add([]byte{3})
	f.Add([]byte{3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0}) // a position that is no int
	f.Add((&Owed{Events: 1<<63 | 5, Schedules: []Schedule{{Position: 63, When: When{2, 1_700_000_000_000}, Attempts: 7}}}).Encode())
	f.Fuzz(func(t *testing.T, value []byte) {
		o, err := DecodeOwed(value)
		if err != nil {
			return
		}
		again, err := DecodeOwed(o.Encode())
		if err != nil || !slices.Equal(again.Schedules, o.Schedules) || again.Events != o.Events {
			t.Errorf("%+v became %+v, %v", o, again, err)
		}
	})
}

func TestEventSet(t *testing.T) {
	t.Parallel()
	const p = EventSet(0b1110_0111) | 1<<63
	var runs []EventSet
	for run := range p.Runs {
		runs = append(runs, run)
	}
	if want := []EventSet{0b111, 0b1110_0000, 1 << 63}; !slices.Equal(runs, want) {
		t.Errorf("runs %b", runs)
	}
	if all := slices.Collect(p.All); !slices.Equal(all, []int{0, 1, 2, 5, 6, 7, 63}) || p.Count() != len(all) {
		t.Errorf("%v, %d", all, p.Count())
	}
	if SetFrom(64) != 0 || SetFrom(63) != 1<<63 {
		t.Error("SetFrom")
	}
	if n := SequenceOf(7, 63); BundleOf(n) != 7 || PositionOf(n) != 63 || n+1 != SequenceOf(8, 0) {
		t.Errorf("sequence %d", n)
	}
}
