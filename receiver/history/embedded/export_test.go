package embedded

import "time"

// Measure has the space looked at again with the next append.
func (s *Store) Measure() { s.measured = time.Time{} }

// Rest has a store that has failed opened again with the next append.
func (s *Store) Rest() { s.opened = time.Time{} }
