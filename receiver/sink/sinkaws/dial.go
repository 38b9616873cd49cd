package sinkaws

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

// dialError says that there is no connection, so that nothing was sent.
type dialError struct{ err error }

// Error returns the cause's text.
func (e *dialError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *dialError) Unwrap() error { return e.err }

// newTransport returns connections that are made directly: the address that a proxy connects to could not be checked.
func newTransport(dialer *net.Dialer, config *tls.Config) *http.Transport {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, &dialError{err}
		}
		return conn, nil
	}
	secure := func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		client := tls.Client(conn, configFor(config, address))
		if err := client.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the handshake's error says more
			return nil, &dialError{err}
		}
		return client, nil
	}
	return &http.Transport{
		DialContext: dial, DialTLSContext: secure, IdleConnTimeout: idleTimeout, MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdle,
		MaxResponseHeaderBytes: maxResponseHeaderBytes, DisableCompression: true,
	}
}

func configFor(config *tls.Config, address string) *tls.Config {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address) // it was connected to
	}
	return config
}
