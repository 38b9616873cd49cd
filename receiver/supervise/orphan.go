package supervise

import (
	"context"
	"errors"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

// OrphanType is the type of a sink that is owed events but configured no more.
const OrphanType = "Absent"

const (
	// adoptInterval is how often the journal is searched for sinks that are owed events but not configured.
	adoptInterval = 30 * time.Second
	// adoptAfter is how often in a row such a sink is seen before it gets a worker: a journal that is shared may hold events
	// for a sink whose configuration is on its way here.
	adoptAfter = 4
)

var errOrphan = errors.New("the sink is not configured any more; apply its EventSink again, or drop its events when they are dead letters")

// orphanSink takes nothing, for now.
type orphanSink struct{}

// Send always fails for the moment.
func (orphanSink) Send(context.Context, sink.Batch) error { return errOrphan }

// Close does nothing.
func (orphanSink) Close() error { return nil }

// newOrphan returns a runner for a queue. What its last runner, which may be nil, would have kept for longer is kept as long.
func newOrphan(name string, last *runner) *runner {
	r := &runner{name: name, kind: OrphanType, sink: orphanSink{}, delivery: orphanDelivery()}
	if last != nil {
		r.delivery.MaxAgeSeconds = max(r.delivery.MaxAgeSeconds, last.delivery.MaxAgeSeconds)
	}
	return r
}

// orphanDelivery tries seldom and gives up after the default maximum age of three days.
// It is by key because order lasts only while every worker of a queue keeps it, and the sink may come back.
func orphanDelivery() config.Delivery {
	return config.Delivery{
		MaxInFlight: 1, BatchMaxEvents: 500, BatchMaxBytes: 1 << 20, TimeoutSeconds: 1,
		InitialBackoffMilliseconds: 15_000, MaxBackoffSeconds: 300, MaxAgeSeconds: 259_200, Ordering: config.ByKey,
	}
}

// addOrphans keeps a worker for every sink that is owed events but configured no more: they wait for its return and become
// dead letters when they are too old.
func (s *Supervisor) addOrphans(p *Plan) {
	for name, pending := range s.options.Journal.Stats().Pending {
		if _, configured := p.all[name]; configured || pending == 0 || name == journal.History {
			continue
		}
		last, ok := s.lookup(name)
		if ok && last.kind == OrphanType {
			p.add(last)
			continue
		}
		p.add(newOrphan(name, last))
	}
}

// Adopt starts a worker for a sink that is owed events but not configured, if it is not there yet.
func (s *Supervisor) Adopt(ctx context.Context, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.running[name]; ok || s.stopped || name == journal.History {
		return
	}
	r := newOrphan(name, s.leaving[name])
	s.start(ctx, r)
	s.running[name] = r
}

// AdoptOrphans keeps a worker for every sink that is owed events but configured no more, until ctx ends: also for those that appear later,
// in a journal that other processes share or that could not be opened at first.
func (s *Supervisor) AdoptOrphans(ctx context.Context) {
	tick := time.NewTicker(adoptInterval)
	defer tick.Stop()
	seen := map[string]int{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, name := range s.orphans(seen) {
			s.Adopt(ctx, name)
		}
	}
}

// orphans counts how often each sink was owed events without a worker, and returns those to adopt.
func (s *Supervisor) orphans(seen map[string]int) []string {
	stats := s.options.Journal.Stats()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.applied {
		return nil
	}
	var adopt []string
	for name, pending := range stats.Pending {
		if _, ok := s.running[name]; ok || pending == 0 || name == journal.History {
			delete(seen, name)
			continue
		}
		if seen[name]++; seen[name] >= adoptAfter {
			adopt = append(adopt, name)
		}
	}
	return adopt
}
