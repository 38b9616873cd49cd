package natssink_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nkeys"
)

// nkey is the key of a user.
type nkey struct {
	public, seed string
	sign         func([]byte) ([]byte, error)
}

func nkeyPair() (nkey, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nkey{}, err
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nkey{}, err
	}
	seed, err := pair.Seed()
	return nkey{public, string(seed), pair.Sign}, err
}

// contextFor ends when a write is certain to have begun.
func contextFor(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), 300*time.Millisecond)
}
