package embedded

import (
	"context"
	"encoding/binary"
	"maps"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
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

// keyFilter tells of most keys that were never added, without a look at the store: a chain of Bloom filters, each key in one
// cache line of one of them (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007). It never denies a key that was added.
type keyFilter struct {
	pages [][]uint64
	// room is how many keys the last page may still take.
	room int
	full bool
}

func (f *keyFilter) add(h dedupeHash) {
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
func (f *keyFilter) grow() bool {
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
func (f *keyFilter) mayHold(h dedupeHash) bool {
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
func locate(h dedupeHash, page []uint64) (line []uint64, bits uint64) {
	lines := uint64(len(page) / lineWords)
	at := binary.LittleEndian.Uint64(h[:8]) % lines * lineWords
	return page[at : at+lineWords], binary.LittleEndian.Uint64(h[8:])
}

// seenKeys are the filters of the dedupe keys, by generation.
type seenKeys struct {
	// stored holds the keys that the store had when it was opened first; nil until they have been read.
	stored atomic.Pointer[map[uint32]*keyFilter]
	// written holds those that were written since. The committer alone uses it, and oldest.
	written map[uint32]*keyFilter
	// oldest is the first generation of which no filter was forgotten, if the clock was set back since.
	oldest uint32
	// wanted says that a key was asked for which may be among those that have not been read.
	wanted chan struct{}
}

func (s *seenKeys) add(generation uint32, h dedupeHash) {
	f := s.written[generation]
	if f == nil {
		f = &keyFilter{}
		s.begin(generation, f)
	}
	f.add(h)
}

// begin starts a generation, and forgets those that no key is looked up in any more.
func (s *seenKeys) begin(generation uint32, f *keyFilter) {
	over := func(g uint32, _ *keyFilter) bool { return g+1 < generation }
	s.oldest = max(s.oldest, generation-min(generation, 1))
	if stored := s.stored.Load(); stored != nil {
		current := maps.Clone(*stored)
		maps.DeleteFunc(current, over)
		s.stored.Store(&current)
	}
	if s.written == nil {
		s.written = map[uint32]*keyFilter{}
	}
	maps.DeleteFunc(s.written, over)
	s.written[generation] = f
}

// excludes says that the store does not have the key.
func (s *seenKeys) excludes(generation uint32, h dedupeHash) bool {
	stored := s.stored.Load()
	if stored == nil {
		select {
		case s.wanted <- struct{}{}:
		default:
		}
	}
	return stored != nil && generation >= s.oldest && !(*stored)[generation].mayHold(h) && !s.written[generation].mayHold(h)
}

// load waits until a key is asked for, and reads those that db holds. Until it is done, or when it fails, every key is looked up.
func (s *seenKeys) load(life context.Context, db *pebble.DB) error {
	if s.stored.Load() != nil {
		return nil // what was read at first and written since is more than any reopened store has
	}
	select {
	case <-s.wanted:
	case <-life.Done():
		return nil
	}
	stored := map[uint32]*keyFilter{}
	err := scan(db, []byte{tableDedupe}, []byte{tableDedupe + 1}, func(key, _ []byte) (bool, error) {
		if len(key) != 5+dedupeHashBytes {
			return false, errMalformed
		}
		generation := binary.BigEndian.Uint32(key[1:])
		if stored[generation] == nil {
			stored[generation] = &keyFilter{}
		}
		stored[generation].add(dedupeHash(key[5:]))
		return life.Err() == nil, nil
	})
	if err == nil && life.Err() == nil {
		s.stored.Store(&stored)
	}
	return err
}
