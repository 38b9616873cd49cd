package suppression

import (
	"cmp"
	"slices"
	"time"
)

// maxSeen bounds the events that a row knows again.
const maxSeen = 64

// Row is what is known of one address, in one scope, for one reason. It is the same whatever the order in which its changes came, and however
// often; of a row of more than 64 events, an older one that comes late is not counted.
type Row struct {
	// Address is in lower case. Scope is [Everything], or names a list of a provider.
	Address, Scope string
	Class          Class
	// FirstAt and LastAt are when it was first and last suppressed, by the provider's clock; zero = never.
	FirstAt, LastAt time.Time
	// ReleasedAt is when it was released last, and ReleasedBy the event or the person that did; zero = never.
	ReleasedAt time.Time
	ReleasedBy string
	// Count is how many events, or people, suppressed it.
	Count int64
	// Last is what did last.
	Last Origin
	// Seen are the latest of those, the latest first.
	Seen []Mark
}

// Mark is by what a row knows an event again.
type Mark struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// compare orders marks by time, and those of one time by id.
func (m Mark) compare(other Mark) int {
	return cmp.Or(m.At.Compare(other.At), cmp.Compare(m.ID, other.ID))
}

// InForce reports whether mail to the address is to be held back because of this row.
func (r *Row) InForce() bool { return !r.LastAt.IsZero() && !r.LastAt.Before(r.ReleasedAt) }

// Merge applies a change that is of this row.
func (r *Row) Merge(c *Change) {
	if c.Releases {
		if c.At.After(r.ReleasedAt) || c.At.Equal(r.ReleasedAt) && c.Origin.ID > r.ReleasedBy {
			r.ReleasedAt, r.ReleasedBy = c.At, c.Origin.ID
		}
		return
	}
	mark := Mark{c.At, c.Origin.ID}
	at, known := slices.BinarySearchFunc(r.Seen, mark, func(have, want Mark) int { return want.compare(have) })
	if known || at == maxSeen {
		return // it was counted, or may have been
	}
	r.Seen = slices.Insert(r.Seen, at, mark)
	r.Seen = r.Seen[:min(len(r.Seen), maxSeen)]
	r.Count++
	if r.FirstAt.IsZero() || c.At.Before(r.FirstAt) {
		r.FirstAt = c.At
	}
	if at == 0 {
		r.LastAt, r.Last = c.At, c.Origin
	}
}
