package embedded

import (
	"cmp"
	"errors"
	"slices"
)

const (
	// minRange is the shortest run that is deleted as a range: a range costs the reads that follow more than a few single keys.
	minRange = 8
	// maxSparse bounds how many keys of another queue are read, per event, to see which events it still waits for. Where more
	// would have to be, each event is looked up.
	maxSparse = 4
)

// finished is a lease whose debt has ended.
type finished struct {
	sequence uint64
	lease    lease
}

// remove deletes what the finished leases leave: what their queue was owed, and those events that no other queue is owed. Most
// often a batch ends as a whole, and then a few ranges say it all.
func (s *settling) remove() error {
	slices.SortFunc(s.finished, func(a, b finished) int { return cmp.Compare(a.sequence, b.sequence) })
	return errors.Join(s.removeOwed(), s.removeEvents())
}

func (s *settling) removeOwed() error {
	adjacent := func(a, b *finished) bool { return b.lease.after == a.sequence }
	for run := range runs(s.finished, adjacent) {
		if len(run) >= minRange {
			first, last := run[0].sequence, run[len(run)-1].sequence
			if err := s.batch.DeleteRange(owedKey(s.q.id, first), owedKey(s.q.id, last+1), nil); err != nil {
				return err
			}
			continue
		}
		for i := range run {
			if err := s.batch.Delete(owedKey(s.q.id, run[i].sequence), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *settling) removeEvents() error {
	unowed, err := s.withoutOthers()
	if err != nil {
		return err
	}
	adjacent := func(a, b *finished) bool { return b.sequence == a.sequence+1 }
	for run := range runs(unowed, adjacent) {
		for i := range run {
			s.deleted.add(run[i].sequence, int64(run[i].lease.size))
		}
		if len(run) >= minRange {
			if err := s.batch.DeleteRange(eventKey(run[0].sequence), eventKey(run[len(run)-1].sequence+1), nil); err != nil {
				return err
			}
			continue
		}
		for i := range run {
			if err := s.batch.DeleteSized(eventKey(run[i].sequence), uint32(run[i].lease.size), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutOthers returns those of the finished that no other queue is owed.
func (s *settling) withoutOthers() ([]finished, error) {
	byOther := map[uint32][]uint64{}
	for i := range s.finished {
		for _, other := range s.finished[i].lease.others {
			byOther[other] = append(byOther[other], s.finished[i].sequence)
		}
	}
	if len(byOther) == 0 {
		return s.finished, nil
	}
	owed := map[uint64]bool{}
	for other, sequences := range byOther {
		if err := s.findOwed(other, sequences, owed); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(s.finished), func(f finished) bool { return owed[f.sequence] }), nil
}

// findOwed adds those sequences, which are sorted, that another queue is owed.
func (s *settling) findOwed(other uint32, sequences []uint64, owed map[uint64]bool) error {
	first, last := sequences[0], sequences[len(sequences)-1]
	if last-first < uint64(maxSparse*len(sequences)) {
		return scan(s.db, owedKey(other, first), owedKey(other, last+1), func(key, _ []byte) (bool, error) {
			_, sequence, ok := parseOwedKey(key)
			if !ok {
				return false, errMalformed
			}
			owed[sequence] = true
			return true, nil
		})
	}
	for _, sequence := range sequences {
		found, err := has(s.db, owedKey(other, sequence))
		if err != nil {
			return err
		}
		if found {
			owed[sequence] = true
		}
	}
	return nil
}

// runs splits list where two neighbours are not adjacent.
func runs(list []finished, adjacent func(a, b *finished) bool) func(yield func([]finished) bool) {
	return func(yield func([]finished) bool) {
		for start, end := 0, 1; start < len(list); start, end = end, end+1 {
			for end < len(list) && adjacent(&list[end-1], &list[end]) {
				end++
			}
			if !yield(list[start:end]) {
				return
			}
		}
	}
}
