// Package keyfilter tells of most dedupe keys that they were never stored, from memory: only duplicates and one new key in a hundred have to
// be looked up in the store.
package keyfilter

import (
	"context"
	"encoding/binary"
	"maps"
	"sync/atomic"

	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// firstPageBytes is the size of the first page of a filter; each further one is twice as large.
	firstPageBytes = 256 << 10
	// maxFilterPages bounds a filter to 64 MiB, which holds about 40 million keys. With more keys than that each is looked up.
	maxFilterPages = 8
	// filterBitsPerKey gives less than one false positive in a hundred per page.
	filterBitsPerKey = 12
	// lineWords is a cache line: the bits of a key lie in one.
	lineWords = 8
	// probes is the number of bits per key.
	probes = 7
)

// filter tells of most keys that were never added, without a look at the store: a chain of Bloom filters, each key in one
// cache line of one of them (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007). It never denies a key that was added.
type filter struct {
	pages [][]uint64
	// room is how many keys the last page may still take.
	room int
	full bool
}

func (f *filter) add(h journal.KeyHash) {
	if f.full {
		return
	}
	if f.room == 0 && !f.grow() {
		return
	}
	f.room--
	line, bits := locate(h, f.pages[len(f.pages)-1])
	for range probes {
		line[bits>>6&(lineWords-1)] |= 1 << (bits & 63)
		bits >>= 9
	}
}

// grow adds a page. It returns false, and drops them all, when there are enough.
func (f *filter) grow() bool {
	if len(f.pages) == maxFilterPages {
		f.pages, f.full = nil, true
		return false
	}
	size := firstPageBytes << len(f.pages)
	f.pages = append(f.pages, make([]uint64, size/8))
	f.room = size * 8 / filterBitsPerKey
	return true
}

// mayHold is false for most keys that were never added.
func (f *filter) mayHold(h journal.KeyHash) bool {
	if f == nil {
		return false
	}
	for _, page := range f.pages {
		line, bits := locate(h, page)
		hits := 0
		for range probes {
			hits += int(line[bits>>6&(lineWords-1)] >> (bits & 63) & 1)
			bits >>= 9
		}
		if hits == probes {
			return true
		}
	}
	return f.full
}

// locate returns the cache line of a key in a page, and the number whose parts of 9 bits are its bits there.
func locate(h journal.KeyHash, page []uint64) (line []uint64, bits uint64) {
	lines := uint64(len(page) / lineWords)
	at := binary.LittleEndian.Uint64(h[:8]) % lines * lineWords
	return page[at : at+lineWords], binary.LittleEndian.Uint64(h[8:])
}

// Filters are the filters of the dedupe keys, by generation: the number of the window that a key was stored in. Add and Excludes are for one
// goroutine; Load may run beside them.
type Filters struct {
	// stored holds the keys that the store had when it was opened first; nil until they have been read.
	stored atomic.Pointer[map[uint32]*filter]
	// written holds those that were added since.
	written map[uint32]*filter
	// oldest is the first generation of which no filter was forgotten, if the clock was set back since.
	oldest uint32
	// wanted holds a token when a key was asked for that may be among those that have not been read.
	wanted chan struct{}
}

// New returns filters to which nothing was added: they exclude nothing before [Filters.Load] is done.
func New() *Filters { return &Filters{wanted: make(chan struct{}, 1)} }

// Loaded reports whether the stored keys have been read.
func (s *Filters) Loaded() bool { return s.stored.Load() != nil }

// Add takes a key that is being stored.
func (s *Filters) Add(generation uint32, h journal.KeyHash) {
	f := s.written[generation]
	if f == nil {
		f = &filter{}
		s.begin(generation, f)
	}
	f.add(h)
}

// begin starts a generation, and forgets those that no key is looked up in any more.
func (s *Filters) begin(generation uint32, f *filter) {
	over := func(g uint32, _ *filter) bool { return g+1 < generation }
	s.oldest = max(s.oldest, generation-min(generation, 1))
	if stored := s.stored.Load(); stored != nil {
		current := maps.Clone(*stored)
		maps.DeleteFunc(current, over)
		s.stored.Store(&current)
	}
	if s.written == nil {
		s.written = map[uint32]*filter{}
	}
	maps.DeleteFunc(s.written, over)
	s.written[generation] = f
}

// Excludes reports whether the store certainly does not have the key in a generation.
func (s *Filters) Excludes(generation uint32, h journal.KeyHash) bool {
	stored := s.stored.Load()
	if stored == nil {
		select {
		case s.wanted <- struct{}{}:
		default:
		}
	}
	return stored != nil && generation >= s.oldest && !(*stored)[generation].mayHold(h) && !s.written[generation].mayHold(h)
}

// Load waits until a key is asked for, and then has read call add with each stored key. Until it is done, or when it fails, or when ctx
// ends, nothing is excluded. It returns the error of read.
func (s *Filters) Load(ctx context.Context, read func(add func(generation uint32, h journal.KeyHash)) error) error {
	if s.stored.Load() != nil {
		return nil // what was read at first and written since is more than any reopened store has
	}
	select {
	case <-s.wanted:
	case <-ctx.Done():
		return nil
	}
	stored := map[uint32]*filter{}
	err := read(func(generation uint32, h journal.KeyHash) {
		if stored[generation] == nil {
			stored[generation] = &filter{}
		}
		stored[generation].add(h)
	})
	if err == nil && ctx.Err() == nil {
		s.stored.Store(&stored)
	}
	return err
}
