package nats

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// link forwards the connections that one server makes to another, until it is cut.
type link struct {
	from, to int
	target   string
	listener net.Listener

	mu    sync.Mutex
	isCut bool
	open  map[net.Conn]struct{}
}

func newLink(ctx context.Context, from, to int, target string) (*link, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("link two servers: %w", err)
	}
	l := &link{from: from, to: to, target: target, listener: listener, open: map[net.Conn]struct{}{}}
	go l.accept()
	return l, nil
}

func (l *link) address() string { return l.listener.Addr().String() }

func (l *link) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.forward(near)
	}
}

func (l *link) forward(near net.Conn) {
	defer l.drop(near)
	if !l.keep(near) {
		return
	}
	far, err := net.Dial("tcp", l.target) //nolint:noctx // it answers at once: it is this machine
	if err != nil {
		return
	}
	defer l.drop(far)
	if !l.keep(far) {
		return
	}
	go func() {
		_, _ = io.Copy(far, near) // its end is what counts
		l.drop(far)
	}()
	_, _ = io.Copy(near, far) // its end is what counts
}

// keep remembers a connection, or returns false when the link is cut.
func (l *link) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isCut {
		l.open[c] = struct{}{}
	}
	return !l.isCut
}

func (l *link) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	_ = c.Close() // nobody waits for what was in it
}

func (l *link) cut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = cut
	if !cut {
		return
	}
	for c := range l.open {
		_ = c.Close() // that is the point
	}
	clear(l.open)
}

func (l *link) close() {
	_ = l.listener.Close() // nothing follows
	l.cut(true)
}
