package sink

import "context"

// Turn has one write go on at a time. A write to a file cannot be interrupted: it goes on, and keeps the turn, when nobody waits
// for it any more.
type Turn chan struct{}

// NewTurn returns a turn that is free.
func NewTurn() Turn {
	t := make(Turn, 1)
	t <- struct{}{}
	return t
}

// Take waits for the turn, and calls write. It returns what write returns, or the context's error when that ends first.
func (t Turn) Take(ctx context.Context, write func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-t:
	case <-ctx.Done():
		return ctx.Err()
	}
	done := make(chan error, 1)
	go func() {
		defer func() { t <- struct{}{} }()
		done <- write()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
