package httpsink

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of connections. The time of a whole Send is bounded by its context.
const (
	dialTimeout         = 10 * time.Second
	tlsHandshakeTimeout = 10 * time.Second
	idleConnTimeout     = 90 * time.Second
	// maxConnectionAge is how long connections take new requests. Then the name is resolved again, under traffic as well: the
	// destination may have moved, or have more addresses.
	maxConnectionAge = time.Minute
	// maxIdleConns is as many as there are sends in flight at most.
	maxIdleConns           = 256
	maxResponseHeaderBytes = 64 << 10
)

// connections are those to one destination.
type connections struct {
	dialer *net.Dialer
	tls    *tls.Config // nil = the defaults

	mu        sync.Mutex
	transport *http.Transport
	since     time.Time
}

// newConnections returns connections that are made directly: a proxy of the environment would be what resolves and connects, and the
// address could not be checked.
func newConnections(dialer *net.Dialer, config *tls.Config, now time.Time) *connections {
	c := &connections{dialer: dialer, tls: config, since: now}
	c.transport = c.newTransport()
	return c
}

func (c *connections) newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            c.dialer.DialContext,
		TLSClientConfig:        c.tls.Clone(),
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		IdleConnTimeout:        idleConnTimeout,
		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    maxIdleConns,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		DisableCompression:     true,
	}
}

// at returns the transport of a time. Requests on an earlier one go on; its connections are closed when they are idle.
func (c *connections) at(now time.Time) *http.Transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.since) >= maxConnectionAge {
		c.transport.CloseIdleConnections()
		c.transport, c.since = c.newTransport(), now
	}
	return c.transport
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.transport.CloseIdleConnections()
}
