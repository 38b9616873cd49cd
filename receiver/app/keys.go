package app

import (
	"net/http"
	"time"

	"github.com/mailvane/mailvane/receiver/netguard"
)

// Bounds of looking up a provider's public key. The body of an answer is bounded where it is read.
const (
	// keyFetchTimeout bounds one lookup; EngageLab waits 3 s for its answer, MailChannels is not known to wait less.
	keyFetchTimeout      = 2 * time.Second
	keyIdleConnTimeout   = 30 * time.Second
	maxKeyResponseHeader = 16 << 10 // bytes
)

// KeyClient returns the client that fetches public keys. A stranger decides when it asks and for which id, and the author of an
// endpoint whom: so it goes where sinks may go and nowhere else. It follows no redirects and asks no proxy of the environment,
// which would be what resolves and connects.
func KeyClient(guard netguard.Guard) *http.Client {
	return &http.Client{
		Timeout: keyFetchTimeout,
		Transport: &http.Transport{
			DialContext:            guard.Dialer(keyFetchTimeout).DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    keyFetchTimeout,
			IdleConnTimeout:        keyIdleConnTimeout,
			MaxResponseHeaderBytes: maxKeyResponseHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
