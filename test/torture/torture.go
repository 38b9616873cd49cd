package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// maxRecovery bounds the wait for the sinks to have everything once nothing fails any more.
const maxRecovery = 3 * time.Minute

// torture runs everything and returns what became of the events.
func torture(ctx context.Context, o *options) (result, error) {
	folder, err := os.MkdirTemp("", "mailvane-torture-")
	if err != nil {
		return result{}, err
	}
	defer func() { _ = os.RemoveAll(folder) }() // the system cleans up after us
	names := []string{"batched", "ordered", "structured"}
	l := newLedger(names...)
	var sinks []*sink
	for _, name := range names {
		s, err := newSink(ctx, name, l)
		if err != nil {
			return result{}, err
		}
		sinks = append(sinks, s)
	}
	fmt.Fprintf(o.out, "torturing for %.2f minutes with seed %d\n", o.minutes, o.seed)
	r, err := newReceiver(ctx, o, folder, sinks)
	if err != nil {
		return result{}, err
	}
	if err := r.configure(); err != nil {
		return result{}, err
	}
	if err := r.start(ctx); err != nil {
		return result{}, err
	}
	defer func() { r.kill() }()
	if err := suffer(ctx, o, r, l); err != nil {
		return result{}, err
	}
	fmt.Fprintf(o.out, "%d kills, %d configurations, %d events acknowledged; waiting for the sinks\n", r.kills, r.edits, l.acknowledged())
	return recovery(ctx, l), nil
}

// suffer runs senders and failures for the time of the run. Each source of failures decides with a generator of its own, so
// that a seed repeats its decisions whatever the others do.
func suffer(ctx context.Context, o *options, r *receiver, l *ledger) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(o.minutes*float64(time.Minute)))
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	s := newSenders(r.webhooks, l, o.senders)
	for range o.senders {
		group.Go(func() error { return s.run(ctx) })
	}
	for i, k := range r.sinks {
		group.Go(func() error {
			k.suffer(ctx, rand.New(rand.NewPCG(o.seed, uint64(i+1)))) //nolint:gosec // decisions of a test
			return nil
		})
	}
	group.Go(func() error { return r.suffer(ctx, rand.New(rand.NewPCG(o.seed, 0))) }) //nolint:gosec // decisions of a test
	return group.Wait()
}

// recovery waits until nothing is missing, or for maxRecovery.
func recovery(ctx context.Context, l *ledger) result {
	started := time.Now()
	for {
		looked := time.Now()
		r := l.settle()
		r.recovered = time.Since(started)
		// The sinks wait while the ledger is looked at; it must not be what slows them down.
		rest := max(20*time.Millisecond, 10*time.Since(looked))
		if r.lost == 0 || r.recovered > maxRecovery || !pause(ctx, rest) {
			return r
		}
	}
}
