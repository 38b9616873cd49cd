package journal

import (
	"fmt"
	"sync"
)

// The shares of a journal's space.
const (
	// unverifiedDivisor is the part of a journal that may be in use for what was not verified to be taken, 1/8: strangers never fill
	// more than that.
	unverifiedDivisor = 8
	// laneDivisor is the part that no endpoint takes alone, the last 1/8, and laneShareDivisor the part of that which each may take.
	laneDivisor      = 8
	laneShareDivisor = 4
)

// Shares divides the space of a journal among those who append to it, so that one of them never keeps all others out: in the last
// part of it each endpoint has a share. The zero Shares is ready. It is safe for concurrent use.
type Shares struct {
	mu sync.Mutex
	// added is what each endpoint has added since the journal has nothing left but the last part.
	added map[string]int64
	// refused is the endpoint that was refused last because of that; empty = none was.
	refused string
}

// Appending is what is asked of [Shares].
type Appending struct {
	// Endpoint and Unverified are those of the [Batch].
	Endpoint   string
	Unverified bool
	// Size is about what the batch adds.
	Size int64
}

// Admit returns [ErrShare] when a batch is not to be added to a journal of which used of limit bytes are in use, although it might
// still fit. A limit of 0 is none.
func (s *Shares) Admit(a Appending, used, limit int64) error {
	if limit <= 0 {
		return nil
	}
	if a.Unverified && used > limit/unverifiedDivisor {
		return ErrShare
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	lane := limit / laneDivisor
	if used+a.Size <= limit-lane {
		clear(s.added)
		s.refused = ""
		return nil
	}
	if a.Endpoint == "" {
		return nil
	}
	added := s.added[a.Endpoint]
	if added > 0 && added+a.Size > lane/laneShareDivisor {
		s.refused = a.Endpoint
		return shareError(a.Endpoint)
	}
	if s.added == nil {
		s.added = map[string]int64{}
	}
	s.added[a.Endpoint] = added + a.Size
	return nil
}

// shareError says whose share is used up.
func shareError(endpoint string) error {
	return fmt.Errorf("%w, %s: the rest is kept for others", ErrShare, endpoint)
}

// Problem says for people which endpoint is refused, while used of limit bytes are in use; empty = none is. What is not verified is
// refused without a word: strangers could have it said at any time.
func (s *Shares) Problem(used, limit int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused == "" || used <= limit-limit/laneDivisor {
		return ""
	}
	return shareError(s.refused).Error()
}
