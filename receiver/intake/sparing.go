package intake

import (
	"sync"
	"time"
)

// sayEvery is how often the same is logged of one endpoint: strangers can cause any number of requests that fail alike, and the
// metrics count them all.
const sayEvery = time.Minute

// sparing logs the first of what happens in each sayEvery, and how many it left out before.
type sparing struct {
	mu      sync.Mutex
	next    time.Time
	leftOut int
}

// log logs unless it has done so just before. The endpoint's name and err go with it.
func (s *sparing) log(say func(message string, arguments ...any), now time.Time, message, endpoint string, err error) {
	s.say(now, func(leftOut int) { say(message, "endpoint", endpoint, "error", err, "left_out", leftOut) })
}

// say calls write unless it has done so just before, with how many calls it left out.
func (s *sparing) say(now time.Time, write func(leftOut int)) {
	s.mu.Lock()
	if now.Before(s.next) {
		s.leftOut++
		s.mu.Unlock()
		return
	}
	leftOut := s.leftOut
	s.next, s.leftOut = now.Add(sayEvery), 0
	s.mu.Unlock()
	write(leftOut)
}
