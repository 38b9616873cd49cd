package nats

import (
	"context"

	"github.com/mailvane/mailvane/test/line"
)

// Line is a way for clients to a server, which can be cut.
type Line struct{ *line.Line }

// NewLine opens a line to a server. Whoever opens it closes it.
func (s *Server) NewLine(ctx context.Context) (*Line, error) {
	l, err := line.New(ctx, s.clients)
	return &Line{l}, err
}

// URL returns the address for clients.
func (l *Line) URL() string { return "nats://" + l.Address() }
