package keyfilter

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/mailvane/mailvane/receiver/journal"
)

// numberedKey returns a key whose bytes are as random as those of a hash, in a fraction of the time.
func numberedKey(n int) (key journal.KeyHash) {
	random := rand.NewPCG(uint64(n), 0)
	binary.LittleEndian.PutUint64(key[:], random.Uint64())
	binary.LittleEndian.PutUint64(key[8:], random.Uint64())
	return key
}

// TestAFilterDeniesNoKeyThatItHolds adds what fills three pages.
func TestAFilterDeniesNoKeyThatItHolds(t *testing.T) {
	t.Parallel()
	const keys = 7*firstPageBytes*8/filterBitsPerKey - 3 // rooms are rounded down
	var f filter
	for n := range keys {
		f.add(numberedKey(n))
	}
	if len(f.pages) != 3 {
		t.Errorf("%d pages, want 3", len(f.pages))
	}
	for n := range keys {
		if !f.mayHold(numberedKey(n)) {
			t.Fatalf("key %d is denied", n)
		}
	}
	const strangers = 100_000
	wrong := 0
	for n := range strangers {
		if f.mayHold(numberedKey(keys + n)) {
			wrong++
		}
	}
	if wrong > 3*strangers/100 {
		t.Errorf("%d of %d keys that were never added are not denied, want less than one in a hundred per page", wrong, strangers)
	}
}

func TestAFullFilterDeniesNothing(t *testing.T) {
	t.Parallel()
	f := filter{pages: make([][]uint64, maxFilterPages)}
	f.add(numberedKey(0))
	if f.pages != nil || !f.mayHold(numberedKey(0)) || !f.mayHold(numberedKey(1)) {
		t.Error("a key is denied, or the memory is kept")
	}
}

// TestSeenKeys follows the filters through a load and the windows that come after.
func TestSeenKeys(t *testing.T) {
	t.Parallel()
	s := New()
	if s.Excludes(7, numberedKey(0)) {
		t.Error("a key is denied before the stored ones were read")
	}
	err := s.Load(t.Context(), func(add func(uint32, journal.KeyHash)) error {
		add(7, numberedKey(1))
		return nil
	})
	if err != nil || !s.Loaded() {
		t.Fatalf("not loaded: %v", err)
	}
	s.Add(7, numberedKey(2))
	for n, want := range []bool{true, false, false} {
		if got := s.Excludes(7, numberedKey(n)); got != want {
			t.Errorf("key %d: denied %v, want %v", n, got, want)
		}
	}
	if !s.Excludes(6, numberedKey(1)) {
		t.Error("a key of another window is not denied")
	}
	s.Add(9, numberedKey(3))
	if len(*s.stored.Load()) != 0 || len(s.written) != 1 {
		t.Errorf("filters of windows that are over are kept: %d and %d", len(*s.stored.Load()), len(s.written)-1)
	}
}

// TestALoadThatFailsExcludesNothing ends the reading of what is stored with an error, or with the end of its context.
func TestALoadThatFailsExcludesNothing(t *testing.T) {
	t.Parallel()
	failure := errors.New("unreadable")
	for name, read := range map[string]error{"a failure": failure, "the store is closed meanwhile": nil} {
		ctx, end := context.WithCancel(t.Context())
		s := New()
		s.Excludes(1, numberedKey(0)) // it is wanted
		err := s.Load(ctx, func(add func(uint32, journal.KeyHash)) error {
			add(1, numberedKey(1))
			if read == nil {
				end()
			}
			return read
		})
		end()
		if !errors.Is(err, read) || s.Loaded() || s.Excludes(1, numberedKey(2)) {
			t.Errorf("%s: %v, a key is excluded", name, err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	s := New() // nobody asks for a key
	if err := s.Load(ended, func(func(uint32, journal.KeyHash)) error { return failure }); err != nil || s.Loaded() {
		t.Errorf("the store is closed before a key is asked for: %v", err)
	}
}
