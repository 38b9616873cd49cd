package embedded

import "sync"

// arrivals are the requests that the committer has not taken. It takes all of them at once: a channel would make it, and each
// sender, wait for one another once for each request.
type arrivals struct {
	// some says that there are at least as many as the committer waits for.
	some chan struct{}

	mu      sync.Mutex
	waiting []*request
	// enough is how many the committer waits for.
	enough int
	closed bool

	// taken are those that the committer took and has not looked at, of which the first are gone; it alone uses them.
	taken []*request
	first int
}

func newArrivals() *arrivals { return &arrivals{some: make(chan struct{}, 1), enough: 1} }

// put adds r, unless there is no committer any more.
func (a *arrivals) put(r *request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.waiting = append(a.waiting, r)
	if len(a.waiting) == a.enough {
		a.signal()
	}
	return true
}

func (a *arrivals) signal() {
	select {
	case a.some <- struct{}{}:
	default:
	}
}

// wait has some tell when there are n, at least 1, that were not taken.
func (a *arrivals) wait(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.enough = n
	select {
	case <-a.some: // for those that were taken since
	default:
	}
	if len(a.waiting) >= n {
		a.signal()
	}
}

// next returns the oldest, or nil when there is none.
func (a *arrivals) next() *request {
	if a.first == len(a.taken) {
		a.take()
	}
	if a.first == len(a.taken) {
		return nil
	}
	r := a.taken[a.first]
	a.taken[a.first] = nil
	a.first++
	return r
}

func (a *arrivals) take() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.taken, a.waiting, a.first = a.waiting, a.taken[:0], 0
}

// refuse answers all with an error.
func (a *arrivals) refuse(err error) {
	for r := a.next(); r != nil; r = a.next() {
		r.answer(reply{err: err})
	}
}

// close answers all with an error, and takes no more.
func (a *arrivals) close(err error) {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.refuse(err)
}
