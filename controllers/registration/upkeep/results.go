package upkeep

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
)

// changesAhead is how many changes may wait for whoever writes statuses.
const changesAhead = 1024

// Results are what was found of the webhooks of endpoints. One controller writes the status of endpoints, and that is not this one: it is told
// that there is something to write.
type Results struct {
	changes chan event.GenericEvent

	mu    sync.Mutex
	found map[types.UID]condition.Finding
}

// NewResults returns Results that hold nothing.
func NewResults() *Results {
	return &Results{changes: make(chan event.GenericEvent, changesAhead), found: map[types.UID]condition.Finding{}}
}

// Of returns what was found of an endpoint's webhook, and whether anything was.
func (r *Results) Of(uid types.UID) (condition.Finding, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	finding, known := r.found[uid]
	return finding, known
}

// Changes tells of endpoints for which something else was found than before.
func (r *Results) Changes() <-chan event.GenericEvent { return r.changes }

func (r *Results) set(e *v1alpha1.WebhookEndpoint, finding condition.Finding) {
	r.mu.Lock()
	before, known := r.found[e.UID]
	r.found[e.UID] = finding
	r.mu.Unlock()
	if known && before == finding {
		return
	}
	r.changes <- event.GenericEvent{Object: e}
}

func (r *Results) forget(e *v1alpha1.WebhookEndpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.found, e.UID)
}
