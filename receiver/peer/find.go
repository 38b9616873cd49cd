package peer

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
)

// Peers are the other pods of the receiver.
type Peers struct {
	// Address is "host:port"; the host resolves to all ready pods of the receiver.
	Address string
	// Self is where this process listens; it is no peer of itself.
	Self netip.AddrPort
	// Key returns the key that the pods share.
	Key func() ([]byte, error)
}

var (
	// ErrNone says that there is no other pod.
	ErrNone = errors.New("no other pod of the receiver is ready")
	// ErrNotProven says that somebody without the key answers.
	ErrNotProven = errors.New("it answers 200 without proof that it has taken the message: it may be no pod of the receiver")
)

// StatusError is an answer other than 200.
type StatusError struct {
	// Code is the status code, and Text how the answer begins.
	Code int
	Text string
}

// Error says what was answered.
func (e *StatusError) Error() string { return fmt.Sprintf("it answers %d: %s", e.Code, e.Text) }

// maxAnswer bounds what is read of an answer, for the error alone.
const maxAnswer = 512

// NewClient returns a client for messages, which keeps at most so many idle connections to each pod. It follows no redirect: what
// is sent is for a pod of the receiver and nobody else.
func NewClient(connections int) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: connections},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Find returns the addresses of the other pods. The error wraps ErrNone when the host has no address.
func (p *Peers) Find(ctx context.Context) ([]netip.AddrPort, error) {
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
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
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

// Message is what one pod says to another.
type Message struct {
	// Path is the URL path, and MediaType the form of Body.
	Path, MediaType string
	// Body is signed and sent as it is.
	Body []byte
	// Timeout bounds the exchange with one pod.
	Timeout time.Duration
}

// Post sends a message to one pod and returns the headers of the answer if that one has acted on it. It goes over plain HTTP: it
// stays within the cluster's network, like the way to the receiver itself. The error wraps a StatusError, ErrNotProven, or that of the connection.
func (p *Peers) Post(ctx context.Context, client *http.Client, to netip.AddrPort, m Message) (answer http.Header, err error) {
	key, err := p.Key()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+to.String()+m.Path, bytes.NewReader(m.Body))
	if err != nil {
		return nil, fmt.Errorf("post to %s: %w", to, err)
	}
	request.Header.Set("Content-Type", m.MediaType)
	Sign(request, to, key, m.Body, time.Now())
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("post to %s: %w", to, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("post to %s: %w", to, &StatusError{Code: response.StatusCode, Text: string(bytes.TrimSpace(text))})
	}
	if !Proven(response.Header, request.Header, key) {
		return nil, fmt.Errorf("post to %s: %w", to, ErrNotProven)
	}
	return response.Header, nil
}
