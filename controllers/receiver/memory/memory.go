// Package memory keeps what a phase remembers from one pass to the next. Losing it costs requests and nothing else.
package memory

import "sync"

// Namespaces remembers something of each namespace. The zero value is ready; it is safe for concurrent use. What it returns is not: one
// pass at a time works on a namespace.
type Namespaces[T any] struct {
	mu    sync.Mutex
	known map[string]*T
}

// Of returns what is known of a namespace, a zero value when that is nothing.
func (n *Namespaces[T]) Of(namespace string) *T {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[string]*T{}
	}
	known, ok := n.known[namespace]
	if !ok {
		known = new(T)
		n.known[namespace] = known
	}
	return known
}

// Forget drops what is known of a namespace.
func (n *Namespaces[T]) Forget(namespace string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.known, namespace)
}

// Receivers remembers something of each receiver of a namespace, by name.
type Receivers[T any] map[string]*T

// Retain returns what is known of each of the named receivers, a zero value when that is nothing. Others are forgotten: one that comes back
// later is another one.
func (r *Receivers[T]) Retain(names []string) Receivers[T] {
	retained := make(Receivers[T], len(names))
	for _, name := range names {
		known := (*r)[name]
		if known == nil {
			known = new(T)
		}
		retained[name] = known
	}
	*r = retained
	return retained
}
