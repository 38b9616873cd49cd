// Package connections bounds the connections of an HTTP server, so that a new client always gets in: when there are too many, the one
// that has waited longest for its client is closed. It also counts what net/http refuses before any handler sees it.
package connections

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/metrics"
)

// patience is how long a connection may wait for its client although another one wants its place: longer than what was sent takes to
// arrive and to be read, and short enough for thousands of new connections in a second.
const patience = 250 * time.Millisecond

// Options say how connections are bounded.
type Options struct {
	// Max is how many there may be at a time; positive.
	Max int
	// Handled keeps a connection whose request is being handled, but for the time in which the handler waits for the client, which it says
	// by a deadline for reading that it takes away afterwards. Without it such a connection waits as any other does.
	Handled bool
	// Hit counts metrics.LimitConnections, LimitHeader and LimitHeaderTime.
	Hit func(limit string)
}

// Bound returns l with the connections that s will serve on it bounded. It sets ConnState of s.
func Bound(s *http.Server, l net.Listener, o Options) net.Listener {
	b := &listener{Listener: l, options: o, open: map[*connection]struct{}{}, room: make(chan struct{}, 1), closed: make(chan struct{}), began: time.Now()}
	s.ConnState = b.state
	return b
}

// listener accepts connections and knows those that are open.
type listener struct {
	net.Listener

	options Options
	began   time.Time
	room    chan struct{} // there may be room again
	closing sync.Once
	closed  chan struct{}

	mu   sync.Mutex
	open map[*connection]struct{}
}

// Accept implements net.Listener. While there are too many connections it waits until one of them has waited for patience.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http looks at it
	}
	c := &connection{Conn: accepted, listener: l}
	for {
		again, admitted := l.admit(c)
		if admitted {
			return c, nil
		}
		select {
		case <-l.room:
		case <-again:
		case <-l.closed:
			_ = accepted.Close() // nothing was said on it
			return nil, net.ErrClosed
		}
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return l.Listener.Close() //nolint:wrapcheck // net/http looks at it
}

// admit lets a connection in, where there are too many in place of the one that has waited longest. When it cannot, it says when to
// ask again; nil = when there is room.
func (l *listener) admit(c *connection) (again <-chan time.Time, admitted bool) {
	l.mu.Lock()
	var oldest *connection
	if len(l.open) >= l.options.Max {
		var waited time.Duration
		oldest, waited = l.oldest()
		if oldest == nil || waited < patience {
			l.mu.Unlock()
			if oldest == nil {
				return nil, false
			}
			return time.After(patience - waited), false
		}
	}
	c.wait()
	l.open[c] = struct{}{}
	l.mu.Unlock()
	if oldest != nil {
		l.options.Hit(metrics.LimitConnections)
		_ = oldest.Close() // there is nobody to tell
	}
	return nil, true
}

// oldest returns the connection that has waited longest for its client, and how long; nil when none waits. The listener is locked.
func (l *listener) oldest() (oldest *connection, waited time.Duration) {
	now := l.now()
	for c := range l.open {
		if since := c.waiting.Load(); since != 0 && (oldest == nil || now-since > waited) {
			oldest, waited = c, now-since
		}
	}
	return oldest, waited
}

// now is the time since the listener began; never 0.
func (l *listener) now() time.Duration { return time.Since(l.began) + 1 }

func (l *listener) forget(c *connection) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	l.hasRoom()
}

// hasRoom wakes an Accept that waits.
func (l *listener) hasRoom() {
	select {
	case l.room <- struct{}{}:
	default:
	}
}

// state follows the connections of a server: it is its ConnState.
func (l *listener) state(served net.Conn, s http.ConnState) {
	c, ok := served.(*connection)
	if !ok {
		return
	}
	switch s {
	case http.StateActive:
		c.phase.Store(handled)
		if l.options.Handled {
			c.waiting.Store(0)
		}
	case http.StateIdle:
		c.phase.Store(answered)
		c.heard.Store(false)
		c.wait()
	default:
	}
}
