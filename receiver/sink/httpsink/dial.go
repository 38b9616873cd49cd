package httpsink

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/mailvane/mailvane/receiver/netguard"
)

// Limits of connections. The time of a whole Send is bounded by its context.
const (
	dialTimeout         = 10 * time.Second
	tlsHandshakeTimeout = 10 * time.Second
	idleConnTimeout     = 90 * time.Second
	// maxIdleConns is as many as there are sends in flight at most.
	maxIdleConns           = 256
	maxResponseHeaderBytes = 64 << 10
)

// newTransport returns a transport that connects directly: a proxy of the environment would be what resolves and connects,
// and the address could not be checked.
func newTransport(allowed []netip.Prefix) *http.Transport {
	return &http.Transport{
		DialContext:            netguard.Dialer(dialTimeout, allowed).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		IdleConnTimeout:        idleConnTimeout,
		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    maxIdleConns,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		DisableCompression:     true,
	}
}
