package rabbitmqsink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/rabbitmqsink/settings"
)

const (
	// connectTimeout bounds the connection to one node, up to its last answer before messages.
	connectTimeout = 10 * time.Second
	// heartbeat is how often both sides say that they are there. One that is silent for longer is gone.
	heartbeat = 10 * time.Second
	// frameSize is that of RabbitMQ by default.
	frameSize = 128 << 10
)

// connector has one session at a time. A connection does not mend itself: whoever sends next makes another, and so finds out why there is
// none, and waits no longer than the delivery policy says.
type connector struct {
	settings *settings.Parsed
	dialer   *net.Dialer
	// turn is held by who connects.
	turn chan struct{}

	mu      sync.Mutex
	current *session
	closed  bool
}

func newConnector(p *settings.Parsed, dialer *net.Dialer) *connector {
	return &connector{settings: p, dialer: dialer, turn: make(chan struct{}, 1)}
}

// session returns the present session, or makes one. Nothing was sent when it fails.
func (c *connector) session(ctx context.Context) (*session, error) {
	if s := c.live(); s != nil {
		return s, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s := c.live(); s != nil {
		return s, nil
	}
	s, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	return s, c.keep(s)
}

// live returns the present session if it is connected.
func (c *connector) live() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil || c.current.isGone() {
		return nil
	}
	return c.current
}

var errClosed = errors.New("the sink is closed")

func (c *connector) keep(s *session) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		s.cut()
		return sink.Unreachable(errClosed)
	}
	c.current = s
	return nil
}

func (c *connector) close() {
	c.mu.Lock()
	s := c.current
	c.closed, c.current = true, nil
	c.mu.Unlock()
	if s != nil {
		s.end()
	}
}

// connect tries the nodes in turn. What one says of the sink's user is told before that another one is away.
func (c *connector) connect(ctx context.Context) (*session, error) {
	var failed error
	for _, address := range c.settings.Addresses {
		s, err := c.connectTo(ctx, address)
		switch {
		case err == nil:
			return s, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case failed == nil || sink.IsUnreachable(failed):
			failed = err
		}
	}
	return nil, failed
}

func (c *connector) connectTo(ctx context.Context, address string) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	line, err := c.dial(ctx, address)
	if err != nil {
		return nil, sink.Unreachable(fmt.Errorf("no connection to RabbitMQ: %w", err))
	}
	stop := context.AfterFunc(ctx, func() { _ = line.Close() }) // the client does not know the context
	conn, err := amqp.Open(line, c.config())
	switch {
	case !stop():
		return nil, sink.Unreachable(fmt.Errorf("%s does not answer as RabbitMQ does", address))
	case err != nil:
		_ = line.Close() // the error says more
		return nil, notConnected(err)
	}
	return newSession(conn, line), nil
}

func (c *connector) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := c.dialer.DialContext(ctx, "tcp", address)
	if err != nil || c.settings.TLS == nil {
		return conn, err
	}
	config := c.settings.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address) // it was connected to
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error says more
		return nil, fmt.Errorf("TLS with %s: %w", address, err)
	}
	return secure, nil
}

// config is made for each connection: the client writes into it.
func (c *connector) config() amqp.Config {
	config := amqp.Config{
		Vhost: c.settings.VirtualHost, Heartbeat: heartbeat, FrameSize: frameSize, Locale: "en_US",
		Properties: amqp.Table{"product": "mailvane", "connection_name": "mailvane"},
		SASL:       []amqp.Authentication{&amqp.ExternalAuth{}},
	}
	if b := c.settings.Basic; b != nil {
		config.SASL = []amqp.Authentication{&amqp.PlainAuth{Username: b.Username, Password: b.Password}}
	}
	return config
}
