package nats

import (
	"context"

	"github.com/mailvane/mailvane/test/line"
)

// link forwards the connections that one server makes to another, until it is cut.
type link struct {
	*line.Line

	from, to int
}

func newLink(ctx context.Context, from, to int, target string) (*link, error) {
	l, err := line.New(ctx, target)
	return &link{Line: l, from: from, to: to}, err
}
