package embedded

import (
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/history"
)

// Measure has the space looked at again with the next append.
func (s *Store) Measure() { s.measured = time.Time{} }

// Rest has a store that has failed opened again with the next append.
func (s *Store) Rest() { s.opened = time.Time{} }

// Indexed reports whether the index holds anything of a recipient, be it only its hash.
func (s *Store) Indexed(recipient string) (bool, error) {
	db, release, err := s.acquire()
	if err != nil {
		return false, err
	}
	defer release()
	prefix := termOf(tableRecipients, history.FoldAddress(recipient))
	keys, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix[:], UpperBound: append(append([]byte{}, prefix[:]...), 0xff)})
	if err != nil {
		return false, err
	}
	found := keys.First()
	return found, keys.Close()
}
