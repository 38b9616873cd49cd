package endpoint

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
)

const (
	// maxPerBearer is how many different bodies may come with one signature that covers none of them before that is said. A retry
	// repeats the body, and a provider signs no more than a few of its requests with the time of one millisecond.
	maxPerBearer = 100
	// maxBearers bounds the signatures that are remembered in each of two generations; both together take about 1 MB.
	maxBearers = 8192
)

// bearers counts the bodies that came with each of the latest signatures that cover no body. Whoever has seen such a signature can send
// what he likes with it.
type bearers struct {
	mu           sync.Mutex
	newer, older map[[16]byte]uint16
}

// add counts a new body of a signature, and reports whether there are more than there should be.
func (b *bearers) add(bearer string) (many bool) {
	sum := sha256.Sum256([]byte(bearer))
	key := [16]byte(sum[:])
	b.mu.Lock()
	defer b.mu.Unlock()
	count := max(b.newer[key], b.older[key])
	if len(b.newer) >= maxBearers {
		b.newer, b.older = nil, b.newer
	}
	if b.newer == nil {
		b.newer = map[[16]byte]uint16{}
	}
	b.newer[key] = min(count+1, maxPerBearer+1)
	return count >= maxPerBearer
}

// NoteBearer counts a body that had not come before, with the signature that it came with; see [provider.Proof]. It returns what to log:
// the first time under a configuration that one signature came with too many; "" = nothing.
func (e *Endpoint) NoteBearer(bearer string, now time.Time) (message string) {
	if bearer == "" || !e.troubles.bearers.add(bearer) {
		return ""
	}
	message = fmt.Sprintf("more than %d different bodies came with one signature of the provider, which covers none of them", maxPerBearer)
	if !e.troubles.note(trouble{kind: config.SignatureReused}, message, now) {
		return ""
	}
	return message
}
