package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/test/process"
)

const (
	hookPath = "/hooks/torture/ee"
	secrets  = `{"serviceSecrets":["0123456789abcdef0123456789abcdef"]}`
)

// receiver is a process under torture. It is started, killed and started again.
type receiver struct {
	binary            string
	flags             []string
	webhooks, backend string // addresses
	kills             int
	process           *process.Process
	log               *os.File
}

// build compiles the receiver, unless a program was named.
func build(ctx context.Context, o *options, folder string) (string, error) {
	if o.binary != "" {
		return o.binary, nil
	}
	return process.Build(ctx, folder, "cmd/receiver")
}

func newReceiver(ctx context.Context, binary, log string, flags []string) (*receiver, error) {
	r := &receiver{binary: binary, flags: flags}
	var err error
	if r.webhooks, err = process.FreeAddress(ctx); err != nil {
		return nil, err
	}
	if r.backend, err = process.FreeAddress(ctx); err != nil {
		return nil, err
	}
	r.log, err = os.Create(log)
	return r, err
}

// start runs the receiver and waits until it is ready.
func (r *receiver) start(ctx context.Context, config string) error {
	flags, err := process.ProbeFlags(ctx, r.binary, r.backend)
	if err != nil {
		return err
	}
	flags = append(flags, "--config", config, "--listen", r.webhooks, "--fetch-keys=false", "--allow-sink-addresses=127.0.0.0/8", "--shutdown-delay=0", "--flush-timeout=1s")
	flags = append(flags, r.flags...)
	if r.process, err = process.Start(r.log, r.binary, flags...); err != nil {
		return err
	}
	if err := process.WaitReady(ctx, "http://"+r.backend+admin.PathReady); err != nil {
		return fmt.Errorf("%w; see %s", err, r.log.Name())
	}
	return nil
}

func (r *receiver) kill() {
	if r.process == nil {
		return
	}
	r.process.Kill()
	r.process = nil
	r.kills++
}

// suffer kills the receiver or changes its configuration, at random, until ctx ends. It begins with a kill, so that no run is without.
func (r *receiver) suffer(ctx context.Context, c *settings, decide *rand.Rand) error {
	after := context.WithoutCancel(ctx)
	for pause(ctx, time.Duration(100+decide.IntN(2900))*time.Millisecond) {
		if decide.IntN(3) == 0 && r.kills > 0 {
			if err := c.change(); err != nil {
				return err
			}
			continue
		}
		r.kill()
		pause(ctx, time.Duration(decide.IntN(300))*time.Millisecond)
		if err := r.start(after, c.folder); err != nil {
			return err
		}
	}
	return nil
}
