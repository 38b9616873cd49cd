package nats

import "context"

// Line is a way for clients to a server, which can be cut.
type Line struct{ link *link }

// NewLine opens a line to a server. Whoever opens it closes it.
func (s *Server) NewLine(ctx context.Context) (*Line, error) {
	l, err := newLink(ctx, 0, 0, s.clients)
	if err != nil {
		return nil, err
	}
	return &Line{link: l}, nil
}

// URL returns the address for clients.
func (l *Line) URL() string { return "nats://" + l.link.address() }

// Cut ends the connections, and lets no other through.
func (l *Line) Cut() { l.link.cut(true) }

// Mend ends what Cut did.
func (l *Line) Mend() { l.link.cut(false) }

// Close ends everything.
func (l *Line) Close() { l.link.close() }
