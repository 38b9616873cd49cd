package wire

import (
	"crypto/sha256"
	"strconv"

	"github.com/mailvane/mailvane/receiver/event"
)

// IDs makes the ids of one request unique. Identical items are told apart by their ordinal among themselves, which does
// not depend on where other items stand, so the same request sent again yields the same ids.
type IDs struct {
	seen map[string]int
}

// Unique returns id when it is seen for the first time, and one derived from it and its ordinal after that.
func (ids *IDs) Unique(id string) string {
	if ids.seen == nil {
		ids.seen = map[string]int{}
	}
	ordinal := ids.seen[id]
	ids.seen[id]++
	if ordinal == 0 {
		return id
	}
	return event.HashID(id, strconv.Itoa(ordinal))
}

// Opaque returns the id of an item that has no identity that this release knows: it rests on the item's bytes.
func Opaque(raw []byte) string {
	sum := sha256.Sum256(raw)
	return event.HashID("raw", string(sum[:]))
}
