package deliver

import (
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/sink"
)

// shortOutage is how long a destination may fail before anybody is told that there is no connection: a restart is no news.
const shortOutage = 10 * time.Second

// Connection is what is known of the connection between a sink and its destination, from sends and from probes. The zero Connection
// says that nothing was tried yet.
type Connection struct {
	// Connected says that the destination takes events, by the last that was heard of it.
	Connected bool
	// Cause says why it does not; empty when it does, or nothing is known.
	Cause sink.Cause
	// Message is what a probe said, for people; nothing of an event is in it. Empty when a send failed.
	Message string
	// Since is when it became so.
	Since time.Time
}

// connection follows one Connection.
type connection struct {
	mu  sync.Mutex
	now Connection
	// before is what is told while a failure is a short one.
	before Connection
	// heard is when something was found out last.
	heard time.Time
}

// succeeded notes that the destination takes events.
func (c *connection) succeeded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = time.Now()
	if !c.now.Connected {
		c.now = Connection{Connected: true, Since: c.heard}
	}
}

// failed notes that it does not. What is told stays the same until the cause changes.
func (c *connection) failed(cause sink.Cause, message string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = time.Now()
	since := c.now.Since
	switch {
	case c.now.Cause == cause && (c.now.Message != "" || message == ""):
		return
	case c.now.Cause == "":
		c.before, since = c.now, c.heard
	}
	c.now = Connection{Cause: cause, Message: message, Since: since}
}

// forget has a failure be over, though nothing is known yet.
func (c *connection) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.heard = Connection{}, time.Time{}
}

// told returns what others are told.
func (c *connection) told() Connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.Cause != "" && time.Since(c.now.Since) < shortOutage {
		return c.before
	}
	return c.now
}

// silent returns for how long nothing was found out, and whether the last that was is a failure.
func (c *connection) silent() (silent time.Duration, failing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.heard), c.now.Cause != ""
}
