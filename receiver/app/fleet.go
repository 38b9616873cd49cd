package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/deliver"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
	sinks "github.com/mailvane/mailvane/receiver/sink/builtin"
)

// drainTimeout bounds how long a send may go on when its worker is stopped.
const drainTimeout = 5 * time.Second

// fleet runs one worker per sink.
type fleet struct {
	options Options
	metrics *metrics.Metrics

	mu      sync.Mutex
	running map[string]*ship
	// leaving are those that were removed: they end their sends, and a sink that comes back takes over from them.
	leaving map[string]*ship
	stopped bool
}

// ship is one sink with its worker.
type ship struct {
	name     string
	kind     string
	spec     []byte // the canonical configuration, to recognise a change
	sink     sink.Sink
	delivery config.Delivery
	worker   *deliver.Worker
	stop     context.CancelFunc
	done     chan struct{} // closed when the worker has ended and the sink is closed
}

// crew is the set of sinks of one configuration, built but not started.
type crew struct {
	all   map[string]*ship
	fresh []*ship
}

func newFleet(o Options, m *metrics.Metrics) *fleet {
	return &fleet{options: o, metrics: m, running: map[string]*ship{}, leaving: map[string]*ship{}}
}

// build constructs the sinks that are new or changed. Sinks that are as before are taken over as they run.
func (f *fleet) build(cfg *config.Config) (*crew, error) {
	c := &crew{all: make(map[string]*ship, len(cfg.Sinks))}
	var errs []error
	for i := range cfg.Sinks {
		s, err := f.buildOne(&cfg.Sinks[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("sink %s/%s: %w", cfg.Sinks[i].Namespace, cfg.Sinks[i].Name, err))
			continue
		}
		if _, taken := c.all[s.name]; taken {
			errs = append(errs, fmt.Errorf("sink %s is listed twice", s.name))
		}
		c.add(s)
	}
	f.addAbsent(c)
	return c, errors.Join(errs...)
}

func (c *crew) add(s *ship) {
	c.all[s.name] = s
	if s.worker == nil {
		c.fresh = append(c.fresh, s)
	}
}

func (f *fleet) buildOne(spec *config.Sink) (*ship, error) {
	name := intake.SinkName(spec.Namespace, spec.Name)
	canonical, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if s, ok := f.lookup(name); ok && bytes.Equal(s.spec, canonical) {
		return s, nil
	}
	kind, ok := sinks.Lookup(spec.Kind.Type)
	if !ok {
		return nil, fmt.Errorf("unknown type %q", spec.Kind.Type)
	}
	settings := spec.Kind.Settings
	if len(settings) == 0 {
		settings = json.RawMessage("{}")
	}
	destination, err := kind.New(settings, f.options.Sinks)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Kind.Type, err)
	}
	delivery := spec.Delivery
	if delivery.DeadLetterSink != "" {
		delivery.DeadLetterSink = intake.SinkName(spec.Namespace, delivery.DeadLetterSink)
	}
	return &ship{name: name, kind: spec.Kind.Type, spec: canonical, sink: destination, delivery: delivery}, nil
}

// addAbsent keeps a worker for every sink that is owed events but configured no more: they wait for its return and become
// dead letters when they are too old.
func (f *fleet) addAbsent(c *crew) {
	for name, pending := range f.options.Journal.Stats().Pending {
		if _, configured := c.all[name]; configured || pending == 0 {
			continue
		}
		last, ok := f.lookup(name)
		if ok && last.kind == absentKind {
			c.add(last)
			continue
		}
		c.add(newAbsentShip(name, last))
	}
}

func (f *fleet) lookup(name string) (*ship, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.running[name]
	return s, ok
}

// discard closes what was built for a configuration that is refused.
func (c *crew) discard() {
	for _, s := range c.fresh {
		_ = s.sink.Close() // it was never used
	}
}

// replace makes c the running set. A sink that changed is handed over as soon as its sends under way have ended.
func (f *fleet) replace(ctx context.Context, c *crew) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		c.discard()
		return
	}
	for _, s := range c.fresh {
		f.start(ctx, s)
	}
	// Those that have ended and did not come back were owed nothing, so nobody needs their order.
	maps.DeleteFunc(f.leaving, func(_ string, s *ship) bool { return s.ended() })
	for name, s := range f.running {
		if _, stays := c.all[name]; !stays {
			s.stop()
			f.leaving[name] = s
		}
	}
	f.running = c.all
}

func (s *ship) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// predecessor returns who had the queue last, or nil.
func (f *fleet) predecessor(name string) *ship {
	if s, ok := f.running[name]; ok {
		return s
	}
	s := f.leaving[name]
	delete(f.leaving, name) // who waits for its successor waits for it
	return s
}

// start runs a worker once its predecessor, if there is one, has ended: a queue has one consumer at a time.
func (f *fleet) start(ctx context.Context, s *ship) {
	predecessor := f.predecessor(s.name)
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop, s.done = stop, make(chan struct{})
	s.worker = deliver.New(deliver.Options{
		Name: s.name, Sink: s.sink, Delivery: s.delivery, DeadLetterSink: s.delivery.DeadLetterSink,
		Journal: f.options.Journal, Metrics: f.metrics.Sink(s.name), Logger: f.options.Logger, DrainTimeout: drainTimeout,
	})
	go func() {
		defer close(s.done)
		if predecessor != nil {
			predecessor.stop()
			<-predecessor.done
			s.worker.Succeed(predecessor.worker)
		}
		s.worker.Run(ctx)
		if err := s.sink.Close(); err != nil {
			f.options.Logger.Warn("sink did not close", "sink", s.name, "error", err)
		}
	}()
}

// adopt starts a worker for a sink that is owed events but not configured, if it is not there yet.
func (f *fleet) adopt(ctx context.Context, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.running[name]; ok || f.stopped {
		return
	}
	s := newAbsentShip(name, f.leaving[name])
	f.start(ctx, s)
	f.running[name] = s
}

// stop ends every worker and waits for it, and for those that were removed. None is started any more.
func (f *fleet) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	for _, s := range f.running {
		s.stop()
	}
	for _, ships := range []map[string]*ship{f.running, f.leaving} {
		for _, s := range ships {
			<-s.done
		}
	}
	f.running, f.leaving = map[string]*ship{}, map[string]*ship{}
}
