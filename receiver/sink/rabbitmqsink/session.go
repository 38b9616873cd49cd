package rabbitmqsink

import (
	"fmt"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/mailvane/mailvane/receiver/sink"
)

// closeWithin bounds the farewell.
const closeWithin = time.Second

// session is one connection, until it is gone.
type session struct {
	conn *amqp.Connection
	line net.Conn
	// gone is closed when the connection is.
	gone chan struct{}

	mu   sync.Mutex
	idle []*channel
	// blocked is why the server reads no more; nil = it reads. raised is closed while it does not.
	blocked error
	raised  chan struct{}
}

// channel is one of a connection's, of one send at a time.
type channel struct {
	*amqp.Channel
	returns chan amqp.Return
	closed  chan *amqp.Error
	reason  *amqp.Error
}

func newSession(conn *amqp.Connection, line net.Conn) *session {
	s := &session{conn: conn, line: line, gone: make(chan struct{}), raised: make(chan struct{})}
	closed, blocked := conn.NotifyClose(make(chan *amqp.Error, 1)), conn.NotifyBlocked(make(chan amqp.Blocking, 1))
	go s.watch(closed, blocked)
	return s
}

// watch notes what the server says on its own.
func (s *session) watch(closed <-chan *amqp.Error, blocked <-chan amqp.Blocking) {
	for {
		select {
		case <-closed: //nolint:errcheck // What it says is what a send that failed says.
			close(s.gone)
			return
		case b, ok := <-blocked:
			if !ok {
				blocked = nil
				continue
			}
			s.block(b)
		}
	}
}

func (s *session) block(b amqp.Blocking) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case b.Active && s.blocked == nil:
		s.blocked = sink.Throttled(fmt.Errorf("RabbitMQ takes no messages: it has an alarm, %q", b.Reason), blockedFor)
		close(s.raised)
	case !b.Active && s.blocked != nil:
		s.blocked, s.raised = nil, make(chan struct{})
	}
}

// alarm returns why the server reads no more, or nil.
func (s *session) alarm() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocked
}

// alarmed returns what is closed when the server reads no more.
func (s *session) alarmed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raised
}

func (s *session) isGone() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// take returns a channel that is not in use, or opens one. Its error is one of Send.
func (s *session) take() (*channel, error) {
	s.mu.Lock()
	for n := len(s.idle); n > 0; n = len(s.idle) {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		if !c.IsClosed() {
			s.mu.Unlock()
			return c, nil
		}
	}
	s.mu.Unlock()
	opened, err := s.conn.Channel()
	if err != nil {
		return nil, sink.Unreachable(fmt.Errorf("RabbitMQ opens no channel: %w", err))
	}
	c := &channel{
		Channel: opened, returns: opened.NotifyReturn(make(chan amqp.Return, maxBatch)), closed: opened.NotifyClose(make(chan *amqp.Error, 1)),
	}
	if err := opened.Confirm(false); err != nil {
		return nil, sink.Unreachable(fmt.Errorf("RabbitMQ confirms nothing: %w", err))
	}
	return c, nil
}

// release gives a channel back. One that is of no use any more is closed, which may take for as long as the server does not read.
func (s *session) release(c *channel, useful bool) {
	if !useful || c.IsClosed() {
		go func() { _ = c.Close() }() // nobody uses it
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, c)
}

// why returns why the server has closed the channel, or nil.
func (c *channel) why() *amqp.Error {
	select {
	case reason := <-c.closed:
		if reason != nil && reason.Server {
			c.reason = reason
		}
	default:
	}
	return c.reason
}

// back returns the messages that came back, by their ids. When the channel is closed there are no others.
func (c *channel) back() map[string]amqp.Return {
	back := map[string]amqp.Return{}
	for {
		select {
		case r, open := <-c.returns:
			if !open {
				return back
			}
			back[r.MessageId] = r
		default:
			return back
		}
	}
}

// cut ends the connection, also while something is being written to it.
func (s *session) cut() { _ = s.line.Close() }

// end takes leave of the server, if that reads.
func (s *session) end() {
	_ = s.conn.CloseDeadline(time.Now().Add(closeWithin)) // what it says of a connection that ends is nothing
	s.cut()
}
