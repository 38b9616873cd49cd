package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// The ports that FreeAddress chooses from. They lie below those that Linux gives to outgoing connections: one of these could take
// the port of a server before it starts, or while it is down between two starts.
const (
	firstPort = 10_240
	lastPort  = 32_000
)

// reserved keeps the UDP ports that reserve the TCP ports of the same numbers.
var reserved struct { //nolint:gochecknoglobals // a reservation lasts as long as the process
	mu    sync.Mutex
	conns []net.PacketConn
}

// FreeAddress returns a loopback address that nothing listens on. As long as this process lives, no other call returns it, in this
// process or another: the server that it is for may start late, or be down for a while.
func FreeAddress(ctx context.Context) (string, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // it is no secret
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if err = reserve(ctx, address); err == nil {
			return address, nil
		}
	}
	return "", fmt.Errorf("find a free port: %w", err)
}

func reserve(ctx context.Context, address string) error {
	var c net.ListenConfig
	reservation, err := c.ListenPacket(ctx, "udp", address)
	if err != nil {
		return err
	}
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return errors.Join(err, reservation.Close())
	}
	reserved.mu.Lock()
	defer reserved.mu.Unlock()
	reserved.conns = append(reserved.conns, reservation)
	return l.Close()
}
