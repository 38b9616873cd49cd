package deliver

import (
	"cmp"
	"slices"
	"sync"

	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// maxSuspects bounds the deliveries of failed sends that are remembered. What is not goes in sends of the length that the sink
	// takes, which shrinks as well, so that it ends alone all the same.
	maxSuspects = 16_384
	// minPatience is how many sends must pass before one is tried that is as long as one that failed, and maxPatience how many at
	// most after such trials have failed.
	minPatience = 4
	maxPatience = 256
)

// lengths decides how many deliveries go in one send. Two things break a sink that takes single events: a send that is too long
// for it, and an event that it chokes on. So sends get shorter when one fails and longer when they pass; and what was in one that
// failed goes in halves of it, until it passes or is alone.
type lengths struct {
	most int

	mu sync.Mutex
	// reach is how many deliveries a send has now, and ceiling the length that failed last; 0 = none did.
	reach, ceiling int
	// passed counts the sends of full length since reach has changed. patience is how many it takes to try the ceiling.
	passed, patience int
	// suspects are what was in a send that failed, by sequence.
	suspects map[uint64]suspect
	// alone counts those of them that failed alone, and aloneBytes their payloads.
	alone, aloneBytes int
	// tells says that the sink has told apart what failed in a send: then an attempt was not made alone.
	tells bool
}

// suspect is a delivery that was in a send that failed.
type suspect struct {
	// most is the largest number of deliveries that it may go with, itself included.
	most int
	// failures counts the sends that failed.
	failures int
	// bytes is its size when it failed alone.
	bytes int
}

func newLengths(most int) *lengths {
	return &lengths{most: most, reach: most, patience: minPatience, suspects: map[uint64]suspect{}}
}

// next returns how many of the deliveries, from the first on, go in the next send. What is suspected and what is not do not go
// together.
func (l *lengths) next(batch []journal.Delivery) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	most, suspected := l.of(&batch[0])
	for n = 1; n < len(batch); n++ {
		limit, other := l.of(&batch[n])
		if most = min(most, limit); other != suspected || n >= most {
			break
		}
	}
	return n
}

// of returns with how many a delivery may go, and whether it was in a send that failed. One with an attempt of its own has failed
// alone, though that may have been before a restart.
func (l *lengths) of(d *journal.Delivery) (most int, suspected bool) {
	if d.Attempts > 0 && !l.tells {
		return 1, true
	}
	s, suspected := l.suspects[d.Sequence]
	if !suspected {
		return l.reach, false
	}
	return min(l.reach, s.most), true
}

// pass notes that a send has passed.
func (l *lengths) pass(chunk []journal.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(chunk)
	n := len(chunk)
	if n >= l.ceiling {
		l.ceiling, l.patience = 0, minPatience
	}
	if n < l.reach || l.reach == l.most {
		return
	}
	l.passed++
	if l.ceiling > 0 && 2*l.reach >= l.ceiling && l.passed < l.patience {
		return
	}
	l.reach, l.passed = min(2*l.reach, l.most), 0
}

// tell notes that the sink has taken a part of a send, if any, and told apart the rest.
func (l *lengths) tell(taken []journal.Delivery) {
	if len(taken) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tells = true
	l.remove(taken)
}

// fail notes that a send has failed for the moment. The next ones are half as long, but for two failures of which nothing follows for
// others: that of a half while others pass, which narrows something down; and the first one of deliveries that the sink asks to wait
// with, which counts requests more often than events.
func (l *lengths) fail(chunk []journal.Delivery, throttled, othersPass bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(chunk)
	_, suspected := l.of(&chunk[0])
	for i := range chunk {
		l.suspect(&chunk[i], n)
	}
	if n == 1 || n > l.reach || suspected && othersPass && !throttled || throttled && !suspected {
		return // what is longer than sends are by now was begun before
	}
	if l.ceiling > 0 && n >= l.ceiling {
		l.patience = min(2*l.patience, maxPatience)
	}
	l.reach, l.ceiling, l.passed = n/2, n, 0
}

// suspect remembers that d was in a send of n deliveries that failed.
func (l *lengths) suspect(d *journal.Delivery, n int) {
	s, known := l.suspects[d.Sequence]
	if !known && len(l.suspects) >= maxSuspects {
		return
	}
	s.most = max(1, n/2)
	s.failures++
	if n == 1 && s.bytes == 0 {
		s.bytes = max(1, len(d.Payload))
		l.alone++
		l.aloneBytes += s.bytes
	}
	l.suspects[d.Sequence] = s
}

// forget drops what was remembered of deliveries that are not made any more.
func (l *lengths) forget(deliveries []journal.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(deliveries)
}

func (l *lengths) remove(deliveries []journal.Delivery) {
	if len(l.suspects) == 0 {
		return
	}
	for i := range deliveries {
		if s := l.suspects[deliveries[i].Sequence]; s.bytes > 0 {
			l.alone--
			l.aloneBytes -= s.bytes
		}
		delete(l.suspects, deliveries[i].Sequence)
	}
}

// hasFailedAlone says whether chunk is one delivery that failed alone before.
func (l *lengths) hasFailedAlone(chunk []journal.Delivery) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(chunk) == 1 && (chunk[0].Attempts > 0 && !l.tells || l.suspects[chunk[0].Sequence].bytes > 0)
}

// failedAlone returns how many deliveries have failed alone, and the size of their payloads.
func (l *lengths) failedAlone() (events, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.alone, l.aloneBytes
}

// arrange puts what has failed least to the front, and else changes no order.
func (l *lengths) arrange(deliveries []journal.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	failures := func(d *journal.Delivery) int { return d.Attempts + l.suspects[d.Sequence].failures }
	for i := range deliveries {
		if failures(&deliveries[i]) > 0 { // which is rare
			slices.SortStableFunc(deliveries, func(a, b journal.Delivery) int { return cmp.Compare(failures(&a), failures(&b)) })
			return
		}
	}
}
