package embedded

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
)

func numberedKey(n int) dedupeHash { return journal.HashKey("key " + strconv.Itoa(n)) }

// TestAFilterDeniesNoKeyThatItHolds adds what fills three pages.
func TestAFilterDeniesNoKeyThatItHolds(t *testing.T) {
	t.Parallel()
	const keys = 7*firstPageBytes*8/filterBitsPerKey - 3 // rooms are rounded down
	var f keyFilter
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
	f := keyFilter{pages: make([][]uint64, maxFilterPages)}
	f.add(numberedKey(0))
	if f.pages != nil || !f.mayHold(numberedKey(0)) || !f.mayHold(numberedKey(1)) {
		t.Error("a key is denied, or the memory is kept")
	}
}

// TestSeenKeys follows the filters through a load and the windows that come after.
func TestSeenKeys(t *testing.T) {
	t.Parallel()
	var s seenKeys
	if s.excludes(7, numberedKey(0)) {
		t.Error("a key is denied before the stored ones were read")
	}
	s.stored.Store(&map[uint32]*keyFilter{6: {}, 7: {}})
	(*s.stored.Load())[7].add(numberedKey(1))
	s.add(7, numberedKey(2))
	for n, want := range []bool{true, false, false} {
		if got := s.excludes(7, numberedKey(n)); got != want {
			t.Errorf("key %d: denied %v, want %v", n, got, want)
		}
	}
	if !s.excludes(6, numberedKey(1)) {
		t.Error("a key of another window is not denied")
	}
	s.add(9, numberedKey(3))
	if len(*s.stored.Load()) != 0 || len(s.written) != 1 {
		t.Errorf("filters of windows that are over are kept: %d and %d", len(*s.stored.Load()), len(s.written)-1)
	}
}

// TestADuplicateIsFoundOnceTheFilterIsLoaded restarts a journal and waits until it answers from memory.
func TestADuplicateIsFoundOnceTheFilterIsLoaded(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	once := journal.Batch{Entries: []journal.Entry{{DedupeKeys: []string{"a", "b"}, Sinks: []string{"mail/a"}}}}
	for round := range 2 {
		j, err := Open(Options{Dir: "journal", FS: disk, MinFreeBytes: -1})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		other := journal.Batch{Entries: []journal.Entry{{DedupeKeys: []string{fmt.Sprint(round)}}}}
		if _, err := j.Append(ctx, other); err != nil {
			t.Fatal(err)
		}
		for j.seen.stored.Load() == nil && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		receipt, err := j.Append(ctx, once)
		cancel()
		if err != nil || receipt.Duplicates != round {
			t.Errorf("opening %d: %+v, %v", round, receipt, err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
