// Package keys remembers the public keys that providers publish: by an id at a key server, in a JSON Web Key Set, as a certificate
// at a URL. A request names its key before it is known to be authentic, so everything here is bounded by what a stranger must not be
// able to make a receiver do.
package keys

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/mailvane/mailvane/receiver/signature"
)

// Bounds of what requests may make a receiver fetch.
const (
	// fetchInterval and fetchBurst allow a change of keys to be noticed at once and no more than 6 fetches a minute after that.
	fetchInterval = 10 * time.Second
	fetchBurst    = 6
	// fetchTimeout is below the time in which providers expect an answer.
	fetchTimeout = 2 * time.Second
	// keyLifetime is how long a fetched key is used before it is asked for again, so that a withdrawn key ends.
	keyLifetime = 24 * time.Hour
	// unknownLifetime is how long an unknown id is refused without asking again.
	unknownLifetime = 5 * time.Minute
	// maxRemembered bounds the ids that are remembered, known and unknown ones each.
	maxRemembered = 256
)

// errLimited says that too many keys were asked for; the sender should try again later.
var errLimited = errors.New("key lookup: too many lookups")

// Fetch fetches the key of an id. It fails with [signature.ErrUnknownKey] when the publisher says that there is none, and with another
// error when it could not be asked.
type Fetch[K any] func(ctx context.Context, id string) (K, error)

// Store remembers the keys of one publisher by their ids. It is safe for concurrent use.
type Store[K any] struct {
	fetch   Fetch[K]
	group   singleflight.Group
	limiter *rate.Limiter

	mu      sync.Mutex
	known   map[string]remembered[K]
	unknown map[string]time.Time
}

type remembered[K any] struct {
	key   K
	until time.Time
}

// NewStore returns a Store without keys. A nil fetch fetches nothing: every id is then unknown.
func NewStore[K any](fetch Fetch[K]) *Store[K] {
	return &Store[K]{
		fetch:   fetch,
		limiter: rate.NewLimiter(rate.Every(fetchInterval), fetchBurst),
		known:   map[string]remembered[K]{},
		unknown: map[string]time.Time{},
	}
}

// Key returns the key of id. It fails with [signature.ErrUnknownKey] when the publisher does not know the id, and with another error
// when it could not be asked. A key that is due to be asked for again is used on while the publisher does not answer.
func (s *Store[K]) Key(ctx context.Context, id string, now time.Time) (K, error) {
	var none K
	if s.fetch == nil {
		return none, signature.ErrUnknownKey
	}
	stale, fresh, known, err := s.lookup(id, now)
	if err != nil || fresh {
		return stale, err
	}
	key, err := s.fetchOnce(ctx, id, now)
	if err != nil && known && !errors.Is(err, signature.ErrUnknownKey) {
		return stale, nil
	}
	return key, err
}

// lookup answers from memory: a key that is still fresh, one that is stale, or ErrUnknownKey.
func (s *Store[K]) lookup(id string, now time.Time) (key K, fresh, known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until, ok := s.unknown[id]; ok && now.Before(until) {
		return key, false, false, signature.ErrUnknownKey
	}
	r, known := s.known[id]
	return r.key, known && now.Before(r.until), known, nil
}

// fetchOnce joins the lookups of one id. The fetch outlives the request that began it, because others wait for it too.
func (s *Store[K]) fetchOnce(ctx context.Context, id string, now time.Time) (K, error) {
	result := s.group.DoChan(id, func() (any, error) {
		if !s.limiter.AllowN(now, 1) {
			return nil, errLimited
		}
		fetchCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		key, err := s.fetch(fetchCtx, id)
		s.remember(id, key, err, now)
		return key, err
	})
	var none K
	select {
	case <-ctx.Done():
		return none, fmt.Errorf("key lookup: %w", ctx.Err())
	case r := <-result:
		if r.Err != nil {
			return none, r.Err
		}
		key, _ := r.Val.(K)
		return key, nil
	}
}

func (s *Store[K]) remember(id string, key K, err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		makeRoom(s.known)
		s.known[id] = remembered[K]{key: key, until: now.Add(keyLifetime)}
	case errors.Is(err, signature.ErrUnknownKey):
		delete(s.known, id)
		makeRoom(s.unknown)
		s.unknown[id] = now.Add(unknownLifetime)
	}
}

// makeRoom forgets an arbitrary entry of a full memory. The limiter, not the memory, is what bounds the fetches.
func makeRoom[V any](memory map[string]V) {
	if len(memory) < maxRemembered {
		return
	}
	for id := range memory {
		delete(memory, id)
		return
	}
}
