package jetstream

import (
	"container/heap"
	"time"
)

// dueHeap orders what is scheduled by the millisecond at which it is due, then by sequence.
type dueHeap []*held

// Len implements heap.Interface.
func (d *dueHeap) Len() int { return len(*d) }

// Less implements heap.Interface.
func (d *dueHeap) Less(a, b int) bool {
	one, other := (*d)[a], (*d)[b]
	if one.due != other.due {
		return one.due < other.due
	}
	return one.sequence < other.sequence
}

// Swap implements heap.Interface.
func (d *dueHeap) Swap(a, b int) {
	(*d)[a], (*d)[b] = (*d)[b], (*d)[a]
	(*d)[a].place, (*d)[b].place = a, b
}

// Push implements heap.Interface.
func (d *dueHeap) Push(x any) {
	h := x.(*held) //nolint:forcetypeassert // only push calls it
	h.place = len(*d)
	*d = append(*d, h)
}

// Pop implements heap.Interface.
func (d *dueHeap) Pop() any {
	old := *d
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	return last
}

func (d *dueHeap) push(h *held)  { heap.Push(d, h) }
func (d *dueHeap) pop()          { heap.Pop(d) }
func (d *dueHeap) remove(at int) { heap.Remove(d, at) }

// wakeSoon asks for a pass shortly.
func (j *Journal) wakeSoon() { time.AfterFunc(pollInterval/4, j.wake) }
