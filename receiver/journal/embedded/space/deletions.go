package space

import "sync"

// Deletions are the bundles, or the dead letters, that were deleted and whose space was not given back yet. The zero value has none. Merge and
// Take are safe for concurrent use; Add is for who has them alone.
type Deletions struct {
	mu    sync.Mutex
	bytes int64
	// first and last bound their numbers.
	first, last uint64
}

// Add counts what was deleted: its number, and the bytes that it took.
func (d *Deletions) Add(number uint64, size int64) {
	if d.bytes == 0 {
		d.first, d.last = number, number
	}
	d.bytes += size
	d.first, d.last = min(d.first, number), max(d.last, number)
}

// Merge adds others, which nobody else uses.
func (d *Deletions) Merge(other *Deletions) {
	if other.bytes == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	bytes := d.bytes + other.bytes
	d.Add(other.first, other.bytes)
	d.Add(other.last, 0)
	d.bytes = bytes
}

// Take returns the bounds of their numbers and forgets them; some is false when there are none.
func (d *Deletions) Take() (first, last uint64, some bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	some = d.bytes > 0
	d.bytes = 0
	return d.first, d.last, some
}
