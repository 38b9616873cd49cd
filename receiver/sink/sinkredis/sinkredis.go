// Package sinkredis is what sinks that store in Redis share: connections, and which failures are theirs.
package sinkredis

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/mailvane/mailvane/receiver/sink/redissink/settings"
)

const (
	// ConnectTimeout bounds a connection, with TLS.
	ConnectTimeout = 10 * time.Second
	// answerTimeout bounds the wait for an answer that nobody waits for any more; that of a send is bounded by its context.
	answerTimeout = time.Minute
	// maxConnections are those of a pod; sends beyond wait for one.
	maxConnections = 16
	// maxConnectionAge is after how long a connection is made anew: the name may lead elsewhere by then.
	maxConnectionAge = 10 * time.Minute
)

// Client returns a client that connects when it is used.
func Client(p *settings.Parsed, dialer *net.Dialer) redis.UniversalClient {
	logging.Disable() // what the client says is in the errors
	return redis.NewUniversalClient(clientOptions(p, dialer))
}

// IsAway reports whether an error says that there is no connection, so that nothing was sent.
func IsAway(err error) bool {
	_, away := errors.AsType[*dialError](err)
	return away
}

// clientOptions has nothing tried again behind the back of the delivery, which does that.
func clientOptions(p *settings.Parsed, dialer *net.Dialer) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs: p.Addresses, MasterName: p.MasterName, IsClusterMode: p.Mode == settings.ModeCluster, DB: p.Database,
		Username: p.User, Password: p.Password, DisableIdentity: true, Protocol: 2,
		Dialer: dial(dialer, p.TLS), DialTimeout: ConnectTimeout, DialerRetries: 1, MaxRetries: -1,
		ContextTimeoutEnabled: true, ReadTimeout: answerTimeout, WriteTimeout: answerTimeout, PoolTimeout: answerTimeout,
		PoolSize: maxConnections, MaxActiveConns: maxConnections, ConnMaxLifetime: maxConnectionAge,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// dialError says that there is no connection, so that nothing was sent.
type dialError struct{ err error }

// Error returns the cause's text.
func (e *dialError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *dialError) Unwrap() error { return e.err }

// dial returns what makes connections: a client with a dialer of its own leaves TLS to that.
func dial(dialer *net.Dialer, config *tls.Config) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, ConnectTimeout)
		defer cancel()
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, &dialError{err}
		}
		if config == nil {
			return conn, nil
		}
		config := config.Clone()
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(address) // it was connected to
		}
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the handshake's error says more
			return nil, &dialError{err}
		}
		return secure, nil
	}
}
