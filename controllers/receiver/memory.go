package receiver

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/controllers/render"
)

// memory is what is known of a namespace from the last pass. It saves reading Secrets and asking pods again, and holds no
// credential. Losing it costs requests and nothing else.
type memory struct {
	// inputs names everything that the configuration was made of.
	inputs string
	// problems are what was wrong with it.
	problems []render.Problem
	// hash names the configuration that was written.
	hash string
	// tooLarge says why a configuration was not written; empty when it was.
	tooLarge string
	// loaded holds, by pod, the hash that it reported last.
	loaded map[types.UID]string
	// waiting is since when pods have not loaded hash; zero when they have.
	waiting time.Time
}

// remember returns the memory of a namespace. Only the pass that works on the namespace uses it.
func (r *Reconciler) remember(namespace string) *memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.memory[namespace]
	if !ok {
		m = &memory{}
		r.memory[namespace] = m
	}
	return m
}

func (r *Reconciler) forget(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.memory, namespace)
}
