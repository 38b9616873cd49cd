// Package supervise runs one worker per sink, and keeps them in step with a configuration that may change at any time.
package supervise

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/deliver"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/tracing"
)

// drainTimeout bounds how long a send may go on when its worker is stopped.
const drainTimeout = 5 * time.Second

// Options are what a Supervisor needs.
type Options struct {
	// Journal is where events come from and dead letters go to.
	Journal journal.Journal
	// Metrics counts.
	Metrics *metrics.Metrics
	// Logger is told when sinks go down and come back.
	Logger *slog.Logger
	// Lookup returns the kind of sink of a type.
	Lookup func(sinkType string) (sink.Kind, bool)
	// Environment is what sinks may use.
	Environment sink.Environment
	// Recorder is told of attempts; nil = nobody is.
	Recorder deliver.Recorder
	// Tracer makes spans; nil = none are made.
	Tracer *tracing.Tracer
}

// Supervisor runs the sinks of a configuration. Its methods are safe for concurrent use.
type Supervisor struct {
	options Options

	mu      sync.Mutex
	running map[string]*runner
	// leaving are those that were removed: they end their sends, and a sink that comes back takes over from them.
	leaving map[string]*runner
	// applied says that there was a configuration.
	applied, stopped bool
}

// New returns a Supervisor without sinks.
func New(o Options) *Supervisor {
	return &Supervisor{options: o, running: map[string]*runner{}, leaving: map[string]*runner{}}
}

// Apply makes a plan the running set. A sink that changed is handed over as soon as its sends under way have ended. Sinks outlive ctx.
func (s *Supervisor) Apply(ctx context.Context, p *Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		p.Discard()
		return
	}
	s.applied = true
	for _, r := range p.fresh {
		s.start(ctx, r)
	}
	// Those that have ended and did not come back were owed nothing, so nobody needs their order.
	maps.DeleteFunc(s.leaving, func(_ string, r *runner) bool { return r.ended() })
	for name, r := range s.running {
		if _, stays := p.all[name]; !stays {
			r.stop()
			s.leaving[name] = r
		}
	}
	s.running = p.all
}

// start runs a runner behind the one that had the queue last, if there is one.
func (s *Supervisor) start(ctx context.Context, r *runner) {
	predecessor, ok := s.running[r.name]
	if !ok {
		predecessor = s.leaving[r.name]
		delete(s.leaving, r.name) // the successor's start waits for it already
	}
	r.start(ctx, &s.options, predecessor)
}

func (s *Supervisor) lookup(name string) (*runner, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.running[name]
	return r, ok
}

// State is how one sink is doing.
type State struct {
	// Name is "namespace/name".
	Name string
	// Type is the kind of sink; [OrphanType] for one that is owed events but configured no more.
	Type string
	deliver.Health
}

// States returns how the sinks are doing, in the order of their names.
func (s *Supervisor) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := make([]State, 0, len(s.running))
	for name, r := range s.running {
		states = append(states, State{Name: name, Type: r.kind, Health: r.worker.Health()})
	}
	slices.SortFunc(states, func(a, b State) int { return strings.Compare(a.Name, b.Name) })
	return states
}

// Stop ends every worker and waits for it, and for those that were removed. None is started any more.
func (s *Supervisor) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for _, r := range s.running {
		r.stop()
	}
	for _, runners := range []map[string]*runner{s.running, s.leaving} {
		for _, r := range runners {
			<-r.done
		}
	}
	s.running, s.leaving = map[string]*runner{}, map[string]*runner{}
}
