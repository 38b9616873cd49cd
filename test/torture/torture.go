package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// patience bounds the wait for one more event to be everywhere once nothing fails any more: a long run leaves a long backlog.
const patience = 3 * time.Minute

// scene is everything that takes part.
type scene struct {
	options   *options
	ledger    *ledger
	sinks     []*sink
	settings  *settings
	servers   *servers   // nil with the embedded journal
	historian *historian // nil where there is no history, as with JetStream
	receivers []*receiver
}

// torture runs everything and returns what became of the events. The logs stay when something went wrong.
func torture(ctx context.Context, o *options) (result, error) {
	folder, err := os.MkdirTemp("", "mailvane-torture-")
	if err != nil {
		return result{}, err
	}
	r, err := tortureIn(ctx, o, folder)
	if err != nil || r.lost+r.unfound > 0 {
		fmt.Fprintf(o.out, "logs: %s\n", folder)
		return r, err
	}
	return r, os.RemoveAll(folder)
}

func tortureIn(ctx context.Context, o *options, folder string) (result, error) {
	s := &scene{options: o}
	defer s.end()
	if err := s.build(ctx, folder); err != nil {
		return result{}, err
	}
	fmt.Fprintf(o.out, "torturing for %.2f minutes with seed %d\n", o.minutes, o.seed)
	if err := s.suffer(ctx); err != nil {
		return result{}, err
	}
	fmt.Fprintf(o.out, "%s; waiting for the sinks, which are owed %v\n", s.summary(), s.ledger.settle().owed)
	r := recovery(ctx, s.ledger)
	if s.historian == nil {
		return r, nil
	}
	unfound, some, err := s.historian.unfound(ctx, s.ledger)
	r.unfound, r.missing = unfound, append(r.missing, some...)
	return r, err
}

// build starts the sinks, the servers and the receivers.
func (s *scene) build(ctx context.Context, folder string) error {
	names := []string{"batched", "ordered", "structured"}
	s.ledger = newLedger(names...)
	for _, name := range names {
		k, err := newSink(ctx, name, s.ledger)
		if err != nil {
			return err
		}
		s.sinks = append(s.sinks, k)
	}
	return s.buildReceivers(ctx, folder)
}

// buildReceivers starts the servers and the receivers.
func (s *scene) buildReceivers(ctx context.Context, folder string) error {
	binary, err := build(ctx, s.options, folder)
	if err != nil {
		return err
	}
	if s.settings, err = newSettings(filepath.Join(folder, "config"), s.sinks); err != nil {
		return err
	}
	count, flags := 1, []string{"--data", filepath.Join(folder, "data")}
	if s.options.journal == embeddedJournal {
		var more []string
		if s.historian, more, err = newHistorian(ctx, filepath.Join(folder, "token")); err != nil {
			return err
		}
		flags = append(flags, more...)
	}
	if s.options.journal == jetstreamJournal {
		if s.servers, err = startServers(ctx, s.options, folder); err != nil {
			return err
		}
		count, flags = 2, s.servers.flags()
	}
	for i := range count {
		r, err := newReceiver(ctx, binary, filepath.Join(folder, fmt.Sprintf("receiver%d.log", i+1)), flags)
		if err != nil {
			return err
		}
		s.receivers = append(s.receivers, r)
		if err := r.start(ctx, s.settings.folder); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) end() {
	for _, r := range s.receivers {
		r.kill()
	}
	if s.servers != nil {
		_ = s.servers.cluster.Close() // they are killed
	}
}

func (s *scene) summary() string {
	kills := 0
	for _, r := range s.receivers {
		kills += r.kills
	}
	text := fmt.Sprintf("%d kills, %d configurations, %d events acknowledged", kills, s.settings.edits, s.ledger.acknowledged())
	if s.servers != nil {
		text += fmt.Sprintf(", %d failures of a server", s.servers.failures)
	}
	return text
}

// The generators that decide. Each source of failures has its own, so that a seed repeats its decisions whatever the others do.
const (
	decidesReceivers = 0
	decidesSinks     = 1
	decidesServers   = 100
)

func (s *scene) decide(who int) *rand.Rand {
	return rand.New(rand.NewPCG(s.options.seed, uint64(who))) //nolint:gosec // decisions of a test
}

// suffer runs senders and failures for the time of the run.
func (s *scene) suffer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.options.minutes*float64(time.Minute)))
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	all := newSenders(s.receivers, s.ledger, s.options.senders)
	for range s.options.senders {
		group.Go(func() error { return all.run(ctx) })
	}
	for i, k := range s.sinks {
		group.Go(func() error {
			k.suffer(ctx, s.decide(decidesSinks+i))
			return nil
		})
	}
	for i, r := range s.receivers {
		group.Go(func() error { return r.suffer(ctx, s.settings, s.decide(decidesReceivers-i)) })
	}
	if s.servers != nil {
		group.Go(func() error { return s.servers.suffer(ctx, s.decide(decidesServers)) })
	}
	group.Go(func() error {
		for pause(ctx, time.Minute) {
			now := s.ledger.settle()
			fmt.Fprintf(s.options.out, "%d events acknowledged; the sinks are owed %v\n", now.acked, now.owed)
		}
		return nil
	})
	return group.Wait()
}

// recovery waits until nothing is missing, or nothing that was has come for as long as patience lasts.
func recovery(ctx context.Context, l *ledger) result {
	started := time.Now()
	least, since := math.MaxInt, started
	for {
		looked := time.Now()
		r := l.settle()
		r.recovered = time.Since(started)
		if r.lost < least {
			least, since = r.lost, looked
		}
		// The sinks wait while the ledger is looked at; it must not be what slows them down.
		rest := max(20*time.Millisecond, 10*time.Since(looked))
		if r.lost == 0 || time.Since(since) > patience || !pause(ctx, rest) {
			return r
		}
	}
}
