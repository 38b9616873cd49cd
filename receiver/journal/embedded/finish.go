package embedded

import (
	"cmp"
	"slices"

	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

const (
	// minRange is the shortest run that is deleted as a range: a range costs the reads that follow more than a few single keys.
	minRange = 8
	// maxSparse bounds how many keys of another queue are read, per bundle, to see which bundles it still waits for. Where more
	// would have to be, each bundle is looked up.
	maxSparse = 4
)

// remove deletes those of the finished bundles that no other queue is owed anything of. Most often a batch ends as a whole, and
// then one range says it all: whole tables go without being read.
func (s *settling) remove() error {
	slices.SortFunc(s.finished, func(a, b *openBundle) int { return cmp.Compare(a.number, b.number) })
	unowed, err := s.withoutOthers()
	if err != nil {
		return err
	}
	for run := range runs(unowed) {
		for _, o := range run {
			s.deleted.Add(o.number, int64(o.size))
		}
		if len(run) >= minRange {
			if err := s.batch.DeleteRange(format.BundleKey(run[0].number), format.BundleKey(run[len(run)-1].number+1), nil); err != nil {
				return err
			}
			continue
		}
		for _, o := range run {
			if err := s.batch.DeleteSized(format.BundleKey(o.number), uint32(o.size), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutOthers returns those of the finished bundles that no other queue is owed anything of.
func (s *settling) withoutOthers() ([]*openBundle, error) {
	byOther := map[uint32][]uint64{}
	for _, o := range s.finished {
		for _, other := range o.others {
			byOther[other] = append(byOther[other], o.number)
		}
	}
	if len(byOther) == 0 {
		return s.finished, nil
	}
	owed := map[uint64]bool{}
	for other, numbers := range byOther {
		if err := s.findOwed(other, numbers, owed); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(s.finished), func(o *openBundle) bool { return owed[o.number] }), nil
}

// findOwed adds those bundles, which are sorted, that another queue is owed something of.
func (s *settling) findOwed(other uint32, numbers []uint64, owed map[uint64]bool) error {
	first, last := numbers[0], numbers[len(numbers)-1]
	if last-first < uint64(maxSparse*len(numbers)) {
		return store.Scan(s.db, format.OwedKey(other, first), format.OwedKey(other, last+1), func(key, _ []byte) (bool, error) {
			_, number, ok := format.ParseOwedKey(key)
			if !ok {
				return false, format.ErrMalformed
			}
			owed[number] = true
			return true, nil
		})
	}
	for _, number := range numbers {
		found, err := store.Has(s.db, format.OwedKey(other, number))
		if err != nil {
			return err
		}
		if found {
			owed[number] = true
		}
	}
	return nil
}

// runs splits list where two neighbours do not follow each other.
func runs(list []*openBundle) func(yield func([]*openBundle) bool) {
	return func(yield func([]*openBundle) bool) {
		for start, end := 0, 1; start < len(list); start, end = end, end+1 {
			for end < len(list) && list[end].number == list[end-1].number+1 {
				end++
			}
			if !yield(list[start:end]) {
				return
			}
		}
	}
}
