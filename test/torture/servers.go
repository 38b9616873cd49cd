package main

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mailvane/mailvane/test/nats"
)

// servers are the NATS servers that hold a shared journal.
type servers struct {
	cluster  *nats.Cluster
	failures int
}

func startServers(ctx context.Context, o *options, folder string) (*servers, error) {
	dir := filepath.Join(folder, "nats")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	c, err := nats.Start(ctx, nats.Options{Servers: 3, Dir: dir, Progress: o.out})
	if err != nil {
		return nil, err
	}
	return &servers{cluster: c}, nil
}

// flags tell a receiver to use the servers.
func (s *servers) flags() []string {
	return []string{
		"--journal=JetStream", "--jetstream-urls=" + strings.Join(s.cluster.URLs(), ","), "--jetstream-stream=torture",
		"--jetstream-replicas=3", "--journal-max-bytes=1073741824",
	}
}

// suffer lets one server at a time fail, until ctx ends. The next follows when the last has caught up: what two servers
// forget at the same time may be lost.
func (s *servers) suffer(ctx context.Context, decide *rand.Rand) error {
	after := context.WithoutCancel(ctx)
	for pause(ctx, time.Duration(500+decide.IntN(3500))*time.Millisecond) {
		if err := s.fail(ctx, decide.IntN(len(s.cluster.Servers)), decide); err != nil {
			return err
		}
		for _, one := range s.cluster.Servers {
			if err := one.WaitReady(after); err != nil {
				return err
			}
		}
		s.failures++
	}
	return nil
}

// fail lets one server fail in one of the ways that servers fail in, and mends it.
func (s *servers) fail(ctx context.Context, i int, decide *rand.Rand) error {
	one, after := s.cluster.Servers[i], context.WithoutCancel(ctx)
	way, length := decide.IntN(4), time.Duration(200+decide.IntN(4800))*time.Millisecond
	switch way {
	case 0: // cut off from the others; the receivers still reach it
		s.cluster.Isolate(i)
		pause(ctx, length)
		s.cluster.Rejoin(i)
		return nil
	case 1: // neither answers nor goes away
		if err := one.Pause(); err != nil {
			return err
		}
		pause(ctx, length)
		return one.Resume()
	case 2:
		if err := one.Stop(); err != nil {
			return err
		}
	default:
		if err := one.Kill(); err != nil {
			return err
		}
	}
	pause(ctx, length/4)
	return one.Start(after)
}
