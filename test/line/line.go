// Package line forwards connections to a server of a test, until it is cut: what happens to networks.
package line

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// Line is a way to a server.
type Line struct {
	target   string
	listener net.Listener

	mu    sync.Mutex
	isCut bool
	open  map[net.Conn]struct{}
}

// New opens a line to an address. Whoever opens it closes it.
func New(ctx context.Context, target string) (*Line, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a line: %w", err)
	}
	l := &Line{target: target, listener: listener, open: map[net.Conn]struct{}{}}
	go l.accept()
	return l, nil
}

// Address returns where clients connect to.
func (l *Line) Address() string { return l.listener.Addr().String() }

// Cut ends the connections, and lets no other through.
func (l *Line) Cut() { l.cut(true) }

// Mend ends what Cut did.
func (l *Line) Mend() { l.cut(false) }

// Close ends everything.
func (l *Line) Close() {
	_ = l.listener.Close() // nothing follows
	l.cut(true)
}

func (l *Line) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.forward(near)
	}
}

func (l *Line) forward(near net.Conn) {
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

// keep remembers a connection, or returns false when the line is cut.
func (l *Line) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isCut {
		l.open[c] = struct{}{}
	}
	return !l.isCut
}

func (l *Line) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	_ = c.Close() // nobody waits for what was in it
}

func (l *Line) cut(cut bool) {
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
