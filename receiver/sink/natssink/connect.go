package natssink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/natssink/settings"
)

const (
	// connectTimeout bounds the connection to one server, up to its first answer.
	connectTimeout = 10 * time.Second
	// A server that answers none of maxPings pings, one each pingInterval, is gone.
	pingInterval = 5 * time.Second
	maxPings     = 2
	// maxPending is more than sends in flight may have: they are bounded by the delivery policy.
	maxPending = 1 << 20
	// ackTimeout is when an acknowledgement that nobody waits for any more is forgotten.
	ackTimeout = 5 * time.Minute
)

// connectionOptions are those of every connection. A connection does not mend itself: whoever sends next makes another, and so finds out
// why there is none, and waits no longer than the delivery policy says.
func connectionOptions(p *settings.Parsed) ([]nats.Option, error) {
	options := []nats.Option{
		nats.Name("mailvane"), nats.NoReconnect(), nats.SkipHostLookup(), nats.Timeout(connectTimeout),
		nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(maxPings),
	}
	if p.TLS != nil {
		options = append(options, nats.Secure(p.TLS))
	}
	switch a := &p.Authentication; {
	case a.Basic != nil:
		options = append(options, nats.UserInfo(a.Basic.Username, a.Basic.Password))
	case a.Token != "":
		options = append(options, nats.Token(a.Token))
	case a.Credentials != "":
		if _, err := nkeys.ParseDecoratedUserNKey([]byte(a.Credentials)); err != nil {
			return nil, errors.New("authentication.credentials must be a credentials file, and its seed cannot be read")
		}
		options = append(options, nats.UserCredentialBytes([]byte(a.Credentials)))
	case a.NKeySeed != "":
		pair, err := nkeys.FromSeed([]byte(a.NKeySeed))
		if err != nil {
			return nil, errors.New("authentication.nkeySeed must be the seed of a user, and cannot be read")
		}
		public, err := pair.PublicKey()
		if err != nil {
			return nil, errors.New("authentication.nkeySeed must be the seed of a user, and has no public key")
		}
		options = append(options, nats.Nkey(public, pair.Sign))
	}
	return options, nil
}

// connector has one session at a time.
type connector struct {
	urls    string
	options []nats.Option
	dialer  *net.Dialer
	// turn is held by who connects.
	turn chan struct{}

	mu      sync.Mutex
	current *session
	closed  bool
}

func newConnector(urls string, options []nats.Option, dialer *net.Dialer) *connector {
	return &connector{urls: urls, options: options, dialer: dialer, turn: make(chan struct{}, 1)}
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
		s.end()
		return sink.Unreachable(errClosed)
	}
	c.current = s
	return nil
}

func (c *connector) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.current != nil {
		c.current.end()
	}
}

// connect ends with ctx, which the client does not know.
func (c *connector) connect(ctx context.Context) (*session, error) {
	s := newSession(func(network, address string) (net.Conn, error) { return c.dialer.DialContext(ctx, network, address) })
	stop := context.AfterFunc(ctx, s.line.cut)
	options := append(slices.Clone(c.options), nats.SetCustomDialer(s.line), nats.ErrorHandler(s.note), nats.ClosedHandler(s.closed))
	nc, err := nats.Connect(c.urls, options...)
	switch {
	case !stop():
		if err == nil {
			nc.Close()
		}
		return nil, ctx.Err()
	case err != nil:
		return nil, notConnected(err)
	}
	s.nc = nc
	if s.js, err = jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(maxPending), jetstream.WithPublishAsyncTimeout(ackTimeout)); err != nil {
		s.end()
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	return s, nil
}

// notConnected says why there is no connection.
func notConnected(err error) error {
	for _, refused := range []error{nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired, nats.ErrPermissionViolation} {
		if errors.Is(err, refused) {
			return sink.Because(sink.CredentialRefused, fmt.Errorf("the NATS server refuses the sink's credentials: %w", err))
		}
	}
	return sink.Unreachable(fmt.Errorf("no connection to NATS: %w", err))
}
