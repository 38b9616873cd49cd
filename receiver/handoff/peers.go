package handoff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// postTimeout bounds one post to one peer.
	postTimeout = 15 * time.Second
	// retryPause is the wait after every peer has refused: a new pod may be about to be ready.
	retryPause = 500 * time.Millisecond
)

// Peers are the other pods of a receiver.
type Peers struct {
	// Address is "host:port"; the host resolves to all ready pods of the receiver.
	Address string
	// Self is where this process listens; it is no peer of itself.
	Self netip.AddrPort
	// Key returns the key that the pods share.
	Key func() ([]byte, error)
}

var (
	errNoPeer    = errors.New("no other pod of the receiver is ready")
	errNotProven = errors.New("it answers 200 without proof that it has stored the events: it may be no pod of the receiver")
)

// newClient returns a client that follows no redirect: a peer sends none.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: parcelsAtOnce},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// give posts a parcel until a peer has stored it or ctx ends. The error names the last reason.
func (p *Peers) give(ctx context.Context, client *http.Client, what *parcel) error {
	body, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encode parcel: %w", err)
	}
	last := errNoPeer
	for {
		err := p.giveToAny(ctx, client, body)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err // else it would only say that the time is over
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("hand off: %w", last)
		case <-time.After(retryPause):
		}
	}
}

// giveToAny tries every peer once, in the order of the name server, which is another each time.
func (p *Peers) giveToAny(ctx context.Context, client *http.Client, body []byte) error {
	key, err := p.Key()
	if err != nil {
		return err
	}
	peers, err := p.find(ctx)
	if err != nil {
		return err
	}
	err = errNoPeer
	for _, peer := range peers {
		if err = post(ctx, client, peer, key, body); err == nil {
			return nil
		}
	}
	return err
}

// find resolves the peers' addresses.
func (p *Peers) find(ctx context.Context) ([]netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(p.Address)
	if err != nil {
		return nil, fmt.Errorf("peers %q: %w", p.Address, err)
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return nil, fmt.Errorf("peers %q: %w", p.Address, err)
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoPeer, err)
	}
	local, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list own addresses: %w", err)
	}
	var peers []netip.AddrPort
	for _, a := range addresses {
		peer := netip.AddrPortFrom(a.Unmap(), uint16(number))
		if peer.Port() != p.Self.Port() || !isLocal(peer.Addr(), local) {
			peers = append(peers, peer)
		}
	}
	return peers, nil
}

func isLocal(a netip.Addr, local []net.Addr) bool {
	for _, l := range local {
		if prefix, err := netip.ParsePrefix(l.String()); err == nil && prefix.Addr().Unmap() == a {
			return true
		}
	}
	return false
}

// post sends a parcel to one peer and returns nil if that one has stored it, over plain HTTP: it stays within the cluster's network, like the way to the receiver itself.
func post(ctx context.Context, client *http.Client, peer netip.AddrPort, key, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+peer.String()+Path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post to %s: %w", peer, err)
	}
	sign(request.Header, key, body, time.Now())
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("post to %s: %w", peer, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 512)) // for the error alone
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("post to %s: it answers %d: %s", peer, response.StatusCode, bytes.TrimSpace(text))
	}
	if !proven(response.Header, key, request.Header.Get(headerSignature)) {
		return fmt.Errorf("post to %s: %w", peer, errNotProven)
	}
	return nil
}
