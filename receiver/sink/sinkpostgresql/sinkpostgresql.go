// Package sinkpostgresql is what sinks that store in PostgreSQL share: connections, and what their failures mean.
package sinkpostgresql

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/postgresqlsink/settings"
)

const (
	// ConnectTimeout bounds the connection to one server.
	ConnectTimeout = 10 * time.Second
	// maxConnectionAge is after how long a connection is made anew: the name may lead elsewhere by then.
	maxConnectionAge = 10 * time.Minute
	maxIdleTime      = 2 * time.Minute
)

// Pool returns a pool that connects when it is asked for a connection.
func Pool(p *settings.Parsed, dialer *net.Dialer) (*pgxpool.Pool, error) {
	config, err := poolConfig(p, dialer)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, errors.New("settings: a pool of connections cannot be made of them")
	}
	return pool, nil
}

// poolConfig returns the configuration of the connections. Nothing of it comes from the environment of the process.
func poolConfig(p *settings.Parsed, dialer *net.Dialer) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig("host=localhost user=mailvane password=none sslmode=disable") // all of it is replaced
	if err != nil {
		return nil, errors.New("settings: the client cannot be configured")
	}
	config.MaxConns, config.MinConns = p.MaxConnections, 0
	config.MaxConnLifetime, config.MaxConnIdleTime = maxConnectionAge, maxIdleTime
	c := config.ConnConfig
	c.Database, c.User, c.Password = p.Database, p.User, p.Password
	c.RuntimeParams = map[string]string{"application_name": "mailvane"}
	c.ConnectTimeout = ConnectTimeout
	c.DialFunc = dialer.DialContext
	c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	// No statement outlives its use, so that a pooler may stand in between.
	c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	c.Host, c.Port, c.TLSConfig = p.Addresses[0].Host, p.Addresses[0].Port, tlsFor(p.TLS, p.Addresses[0].Host)
	c.Fallbacks = nil
	for _, a := range p.Addresses[1:] {
		c.Fallbacks = append(c.Fallbacks, &pgconn.FallbackConfig{Host: a.Host, Port: a.Port, TLSConfig: tlsFor(p.TLS, a.Host)})
	}
	return config, nil
}

// tlsFor returns the configuration for a server: its certificate must have its name.
func tlsFor(config *tls.Config, host string) *tls.Config {
	if config == nil || config.ServerName != "" {
		return config
	}
	config = config.Clone()
	config.ServerName = host
	return config
}

// NotConnected says why there is no connection, as an error of Send. Nothing was sent.
func NotConnected(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch code := CodeOf(err); {
	case IsOfClass(code, classAuthorization):
		return sink.Because(sink.CredentialRefused, fmt.Errorf("PostgreSQL refuses the sink's user: %w", err))
	case code == codeNoDatabase:
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("the database does not exist: %w", err))
	case code == CodeNotPermitted: // to connect to the database
		return sink.Because(sink.CredentialRefused, err)
	}
	return sink.Unreachable(fmt.Errorf("no connection to PostgreSQL: %w", err))
}
