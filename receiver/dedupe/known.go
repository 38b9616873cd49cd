package dedupe

import (
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// maxKnown bounds the identities of other pods in each of two generations; both together take some 20 MB.
	maxKnown = 200_000
	// maxOrigins bounds the processes that are told apart.
	maxOrigins = 1000
	// maxValid bounds how long a process counts as being there after a message, whatever it says.
	maxValid = time.Minute
)

// origin is another process that stores events.
type origin struct {
	// sequence is that of its last message.
	sequence uint64
	// until is when it counts as silent.
	until time.Time
	// left says that it has ended in order, and that others have all it held.
	left bool
}

// known holds what other pods have stored, as far as they have told it.
type known struct {
	mu           sync.RWMutex
	now          func() time.Time
	origins      map[string]*origin
	newer, older map[journal.KeyHash]*origin
}

func newKnown() *known {
	return &known{
		now: time.Now, origins: map[string]*origin{},
		newer: map[journal.KeyHash]*origin{}, older: map[journal.KeyHash]*origin{},
	}
}

// any reports whether a pod that is there, or has left in order, has stored an event with any of these identities.
func (k *known) any(hashes []journal.KeyHash) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if len(k.newer)+len(k.older) == 0 {
		return false
	}
	now := k.now()
	for _, h := range hashes {
		for _, generation := range []map[journal.KeyHash]*origin{k.newer, k.older} {
			if o := generation[h]; o != nil && (o.left || now.Before(o.until)) {
				return true
			}
		}
	}
	return false
}

// tell records what a process says, and the identities that it has stored.
func (k *known) tell(m *message, hashes []journal.KeyHash) {
	k.mu.Lock()
	defer k.mu.Unlock()
	o := k.origins[m.Origin]
	if o == nil {
		k.forgetSilent()
		o = &origin{}
		k.origins[m.Origin] = o
	}
	if m.Sequence <= o.sequence {
		return // it came before: the process may be gone by now
	}
	valid := min(time.Duration(m.ValidMillis)*time.Millisecond, maxValid)
	o.sequence, o.until, o.left = m.Sequence, k.now().Add(valid), m.Left
	for _, h := range hashes {
		if len(k.newer) >= maxKnown {
			k.older, k.newer = k.newer, map[journal.KeyHash]*origin{}
		}
		k.newer[h] = o
	}
}

// forgetSilent forgets the names of processes when there are many; what they stored stays known as it was.
func (k *known) forgetSilent() {
	if len(k.origins) < maxOrigins {
		return
	}
	now := k.now()
	for name, o := range k.origins {
		if o.left || now.After(o.until) {
			delete(k.origins, name)
		}
	}
}
