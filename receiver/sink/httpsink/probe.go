package httpsink

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"

	"github.com/mailvane/mailvane/receiver/sink"
)

// Probe connects, and asks nothing: what a request would do is known to the destination alone.
func (s *httpSink) Probe(ctx context.Context) error {
	u, err := url.Parse(s.target.URL)
	if err != nil {
		return fmt.Errorf("probe: %w", err) // it was parsed before
	}
	conn, err := s.connections.dial(ctx, u)
	if err != nil {
		return sink.Unreachable(fmt.Errorf("destination cannot be reached: %w", err))
	}
	return conn.Close()
}

// dial makes a connection like those that requests are sent on.
func (c *connections) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	port := u.Port()
	if port == "" {
		port = u.Scheme // by name
	}
	conn, err := c.dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil || u.Scheme != "https" {
		return conn, err
	}
	config := c.tls.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	secure := tls.Client(conn, config)
	ctx, cancel := context.WithTimeout(ctx, tlsHandshakeTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error says more
		return nil, err
	}
	return secure, nil
}
