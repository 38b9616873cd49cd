package connections

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/receiver/metrics"
)

// tooLarge begins what net/http answers to a header block that is too large, before any handler sees the request. No handler of ours
// answers that.
var tooLarge = []byte("HTTP/1.1 431 ") //nolint:gochecknoglobals // a constant that is bytes

// The phases of a connection, as far as it is to be known whether it is in a header block.
const (
	fresh    = iota // nothing was answered on it yet
	handled         // its request is with a handler
	answered        // that was answered
	resting         // and it has a deadline for the beginning of the next one
)

// connection is one that a listener has accepted.
type connection struct {
	net.Conn

	listener *listener
	waiting  duration // since when it waits for the client, by the listener's now; 0 = it does not
	phase    atomic.Int32
	heard    atomic.Bool // something of its next request has come
	closing  sync.Once
}

// duration is an atomic time.Duration.
type duration struct{ atomic.Int64 }

// Load returns the duration.
func (d *duration) Load() time.Duration { return time.Duration(d.Int64.Load()) }

// wait says that from now on the connection waits for its client.
func (c *connection) wait() {
	if c.waiting.Swap(int64(c.listener.now())) == 0 {
		c.listener.hasRoom()
	}
}

// Read implements net.Conn. It tells headers that took too long.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.heard.Load() {
		c.heard.Store(true)
	}
	if err != nil && c.phase.Load() != handled && c.heard.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		c.listener.options.Hit(metrics.LimitHeaderTime)
	}
	return n, err //nolint:wrapcheck // net/http looks at it
}

// Write implements net.Conn. It tells header blocks that were too large.
func (c *connection) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, tooLarge) {
		c.listener.options.Hit(metrics.LimitHeader)
	}
	return c.Conn.Write(p) //nolint:wrapcheck // net/http looks at it
}

// SetReadDeadline implements net.Conn. A handler that sets one waits for the client, until it takes it away. After an answer net/http
// sets one for the beginning of the next request, and once that is there another one for its headers.
func (c *connection) SetReadDeadline(t time.Time) error {
	switch phase := c.phase.Load(); {
	case phase == answered:
		c.phase.Store(resting)
	case phase == resting:
		c.heard.Store(true)
	case phase == handled && !t.IsZero():
		c.wait()
	case phase == handled && c.listener.options.Handled:
		c.waiting.Store(0)
	}
	return c.Conn.SetReadDeadline(t) //nolint:wrapcheck // net/http looks at it
}

// CloseWrite lets net/http end an answer before it closes the connection, so that the client sees it.
func (c *connection) CloseWrite() error {
	if tcp, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return tcp.CloseWrite() //nolint:wrapcheck // net/http ignores it
	}
	return nil
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.closing.Do(func() { c.listener.forget(c) })
	return c.Conn.Close() //nolint:wrapcheck // net/http ignores it
}
