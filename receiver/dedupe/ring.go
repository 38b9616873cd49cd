package dedupe

import (
	"sync"

	"github.com/mailvane/mailvane/receiver/journal"
)

// ringSize is how many of its own identities a pod can tell a peer that has just come, 1.6 MB.
const ringSize = 100_000

// ring holds the newest identities that this pod has stored, numbered from 0. The zero value is empty.
type ring struct {
	mu     sync.Mutex
	hashes []journal.KeyHash
	next   uint64 // the number of the next one
}

func (r *ring) add(hashes []journal.KeyHash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range hashes {
		if len(r.hashes) < ringSize {
			r.hashes = append(r.hashes, h)
		} else {
			r.hashes[r.next%ringSize] = h
		}
		r.next++
	}
}

// since returns up to limit identities from number at on, or from the oldest that is left, and the number behind them.
func (r *ring) since(at uint64, limit int) (hashes []journal.KeyHash, next uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := r.next - uint64(len(r.hashes))
	at = max(at, oldest)
	for ; at < r.next && len(hashes) < limit; at++ {
		hashes = append(hashes, r.hashes[at%ringSize])
	}
	return hashes, at
}
