package deliver

import (
	"sync"
	"time"
)

// Health says how a sink is doing.
type Health struct {
	// Healthy is false from a failed send until the next that succeeds.
	Healthy bool
	// LastError is the last failure's text, and LastErrorAt its time; both are kept after a recovery.
	LastError   string
	LastErrorAt time.Time
}

type health struct {
	mu    sync.Mutex
	state Health
	down  bool
}

// Health returns how the sink is doing.
func (w *Worker) Health() Health {
	w.health.mu.Lock()
	defer w.health.mu.Unlock()
	state := w.health.state
	state.Healthy = !w.health.down
	return state
}

// up records that the sink answered.
func (w *Worker) up() {
	w.gate.succeeded()
	w.health.mu.Lock()
	recovered := w.health.down
	w.health.down = false
	w.health.mu.Unlock()
	if recovered {
		w.options.Logger.Info("sink takes events again", "sink", w.options.Name)
	}
}

// down records a failure; only the first of an outage is logged.
func (w *Worker) down(cause error, first bool) {
	w.health.mu.Lock()
	w.health.down = true
	w.health.state.LastError, w.health.state.LastErrorAt = truncate(cause.Error()), time.Now()
	w.health.mu.Unlock()
	if first {
		w.options.Logger.Warn("sink does not take events; they are kept and tried again", "sink", w.options.Name, "error", truncate(cause.Error()))
	}
}
