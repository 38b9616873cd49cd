package keys

import "sync"

// Registry keeps the stores of a receiver, so that endpoints share them and fetched keys outlive a reload of the configuration.
// The zero value is ready; it is safe for concurrent use.
type Registry struct {
	mu     sync.Mutex
	stores map[string]any
}

// Shared returns the store that r has under a name, which says what publishes the keys and of which type they are; where there is none
// yet, it is the one that build returns. A nil r has none.
func Shared[K any](r *Registry, name string, build func() *Store[K]) *Store[K] {
	if r == nil {
		return build()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.stores[name].(*Store[K]); ok {
		return s
	}
	s := build()
	if r.stores == nil {
		r.stores = map[string]any{}
	}
	r.stores[name] = s
	return s
}
