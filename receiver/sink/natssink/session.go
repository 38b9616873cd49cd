package natssink

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/sink"
)

// session is one connection, until it is gone.
type session struct {
	nc   *nats.Conn
	js   jetstream.JetStream
	line *line
	// gone is closed when the connection is.
	gone chan struct{}
	once sync.Once

	mu sync.Mutex
	// denied has a channel for each subject that somebody waits at, closed when the server does not let the sink publish there.
	denied map[string]chan struct{}
	// refused is why nothing can be published at all.
	refused error
}

func newSession(dial func(network, address string) (net.Conn, error)) *session {
	return &session{line: &line{dial: dial}, gone: make(chan struct{}), denied: map[string]chan struct{}{}}
}

func (s *session) closed(*nats.Conn) { s.once.Do(func() { close(s.gone) }) }

func (s *session) isGone() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// end closes the connection, also while something is being written to it.
func (s *session) end() {
	s.line.cut()
	s.nc.Close()
	s.closed(s.nc)
}

// deniedTo returns what is closed when the server denies to publish to a subject. It is asked for before.
func (s *session) deniedTo(subject string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.denied[subject]
	if !ok {
		c = make(chan struct{})
		s.denied[subject] = c
	}
	return c
}

// note is told what the server says on its own: that a permission is missing. What is not permitted is not answered.
func (s *session) note(_ *nats.Conn, _ *nats.Subscription, err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	_, publish, ok := strings.Cut(err.Error(), `Publish to "`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok { // a subscription, without which no answer comes
		s.refused = sink.Because(sink.CredentialRefused, fmt.Errorf("the sink's user may not receive acknowledgements; allow it to subscribe to _INBOX.>: %w", err))
		go s.end()
		return
	}
	subject, _, _ := strings.Cut(publish, `"`)
	if c, waiting := s.denied[subject]; waiting {
		close(c)
		delete(s.denied, subject)
	}
}

// why returns why nothing can be published, if the server has said so.
func (s *session) why() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// line makes the connections of a session, and can cut the one that it has made: a write that goes on does not end otherwise.
type line struct {
	dial func(network, address string) (net.Conn, error)

	mu    sync.Mutex
	conn  net.Conn
	isCut bool
}

// Dial is called by the client.
func (l *line) Dial(network, address string) (net.Conn, error) {
	conn, err := l.dial(network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut {
		_ = conn.Close() // nobody has used it
		return nil, net.ErrClosed
	}
	l.conn = conn
	return conn, nil
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	if l.conn != nil {
		_ = l.conn.Close() // that is the point
	}
}
