package deliver

import (
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

// Health says how a sink is doing.
type Health struct {
	// Healthy is false from a failed send until the next that succeeds. An event that keeps failing while the sink takes others
	// does not count.
	Healthy bool
	// LastError is the last failure's text, and LastErrorAt its time; both are kept after a recovery.
	LastError   string
	LastErrorAt time.Time
	// Connection is what is known of the connection to the destination.
	Connection Connection
}

// lastFailure is the last send that failed.
type lastFailure struct {
	mu   sync.Mutex
	text string
	at   time.Time
}

// Health returns how the sink is doing.
func (w *Worker) Health() Health {
	w.failure.mu.Lock()
	defer w.failure.mu.Unlock()
	return Health{Healthy: w.gate.isOpen(), LastError: w.failure.text, LastErrorAt: w.failure.at, Connection: w.connection.told()}
}

// up records that the sink answered.
func (w *Worker) up() {
	w.connection.succeeded()
	w.opened()
}

// opened opens the gate.
func (w *Worker) opened() {
	if w.gate.succeeded() {
		w.options.Logger.Info("sink takes events again", "sink", w.options.Name)
	}
}

// note records a failure and returns its text.
func (f *lastFailure) note(cause error) string {
	text := journal.Reason(cause.Error())
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text, f.at = text, time.Now()
	return text
}

// down records a failure; only the first of an outage is logged.
func (w *Worker) down(cause error, first bool) {
	w.connection.failed(sink.CauseOf(cause), "")
	if text := w.failure.note(cause); first {
		w.options.Logger.Warn("sink does not take events; they are kept and tried again", "sink", w.options.Name, "error", text)
	}
}
