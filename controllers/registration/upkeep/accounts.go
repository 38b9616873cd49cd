package upkeep

import (
	"crypto/sha256"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// busyDelay is when to come back to an account at which somebody else is.
const busyDelay = time.Second

// accountID names an account without its key.
type accountID [sha256.Size]byte

func newAccountID(parts ...string) accountID {
	return sha256.Sum256([]byte(strings.Join(parts, "\x00")))
}

// accounts lets one request at a time to each account, and none before the time that the provider has said.
type accounts struct {
	mu    sync.Mutex
	state map[accountID]account
}

type account struct {
	busy      bool
	notBefore time.Time
}

// enter reserves an account until leave is called, or says when to try again.
func (a *accounts) enter(id accountID, now time.Time) (leave func(), after time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	current := a.state[id]
	if wait := current.notBefore.Sub(now); wait > 0 {
		return nil, wait
	}
	if current.busy {
		return nil, busyDelay + rand.N(busyDelay) //nolint:gosec // it spreads work and guards nothing
	}
	if a.state == nil {
		a.state = map[accountID]account{}
	}
	a.state[id] = account{busy: true}
	return func() { a.leave(id) }, 0
}

func (a *accounts) leave(id accountID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	current := a.state[id]
	current.busy = false
	if current.notBefore.IsZero() {
		delete(a.state, id)
		return
	}
	a.state[id] = current
}

// hold has nobody ask an account for a while.
func (a *accounts) hold(id accountID, now time.Time, wait time.Duration) {
	if wait <= 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	current := a.state[id]
	current.notBefore = now.Add(wait)
	a.state[id] = current
}
