// Package app assembles a receiver: journal, intake, delivery and the HTTP servers, and keeps them in step with a
// configuration that may change at any time.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/admin/server"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/handoff"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/history/record"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
	providers "github.com/mailvane/mailvane/receiver/provider/builtin"
	"github.com/mailvane/mailvane/receiver/sink"
	sinks "github.com/mailvane/mailvane/receiver/sink/builtin"
	"github.com/mailvane/mailvane/receiver/supervise"
	"github.com/mailvane/mailvane/receiver/tracing"
)

// Options are what a Receiver needs.
type Options struct {
	// Journal stores the events. The receiver closes it.
	Journal journal.Journal
	// Logger takes what an operator has to know.
	Logger *slog.Logger
	// TrustedProxies are the address ranges whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// MaxInFlightBytes bounds the memory for request bodies; 0 = intake.DefaultInFlightBytes.
	MaxInFlightBytes int64
	// UnknownPathGrace is how long from the start on an unknown path is answered 503 instead of 404; 0 = never.
	UnknownPathGrace time.Duration
	// KeyClient fetches providers' public keys; nil = only pinned keys.
	KeyClient *http.Client
	// Sinks is what sinks may use.
	Sinks sink.Environment
	// ShutdownDelay is how long the receiver goes on serving after it has stopped being ready.
	ShutdownDelay time.Duration
	// FlushTimeout bounds the wait at shutdown for sinks to take what they are owed.
	FlushTimeout time.Duration
	// Handoff says how what is left after that gets to another pod.
	Handoff Handoff
	// AdminKeys knows the tokens that the admin API asks for. With none it answers nobody.
	AdminKeys access.Keyring
	// AdminHost is the host that the admin API listens on as it was configured; empty = every address of this machine.
	AdminHost string
	// History keeps what happened; nil = nothing does. The receiver closes it.
	History history.Store
	// HistoryProblem says for people why there is no history although one was asked for.
	HistoryProblem string
	// Tracer makes spans; nil = none are made.
	Tracer *tracing.Tracer
	// ConfigKey returns the key that [config.Fingerprint] takes; nil = a key that nobody else knows.
	ConfigKey func() ([]byte, error)
}

// Receiver is one running data plane.
type Receiver struct {
	options  Options
	registry *prometheus.Registry
	metrics  *metrics.Metrics
	compiler *endpoint.Compiler
	handler  *intake.Handler
	sinks    *supervise.Supervisor
	taker    *handoff.Handler // nil without hand-off
	pods     *pods
	admin    *server.Server
	recorder *record.Recorder
	stopping atomic.Bool
	opened   atomic.Bool // the journal could be opened once

	mu      sync.Mutex // serialises Apply
	current atomic.Pointer[loadedConfig]
}

// loadedConfig is the configuration that is in force.
type loadedConfig struct {
	config *config.Config
	hash   string
	at     time.Time
}

// New returns a receiver without endpoints. It is not ready before the first Apply.
func New(o Options) (*Receiver, error) {
	filters, err := filter.NewCompiler()
	if err != nil {
		return nil, fmt.Errorf("start receiver: %w", err)
	}
	if o.ConfigKey == nil {
		own := []byte(rand.Text())
		o.ConfigKey = func() ([]byte, error) { return own, nil }
	}
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		metrics.NewJournalCollector(o.Journal.Stats, time.Now))
	pods := newPods(&o)
	recorder := record.New(record.Options{Journal: o.Journal, Store: o.History, Unavailable: o.HistoryProblem, Logger: o.Logger})
	registry.MustRegister(metrics.NewHistoryCollector(recorder.Stats))
	r := &Receiver{
		options: o, registry: registry, metrics: m, pods: pods, recorder: recorder,
		compiler: &endpoint.Compiler{Lookup: providers.Lookup, Environment: provider.Environment{HTTPClient: o.KeyClient, Keys: &keys.Registry{}}, Filters: filters, Metrics: m, History: o.History != nil},
		handler: intake.NewHandler(intake.Options{
			Journal: pods.appender(o.Journal), Metrics: m, Logger: o.Logger, HTTPClient: o.KeyClient,
			TrustedProxies: o.TrustedProxies, MaxInFlightBytes: o.MaxInFlightBytes, UnknownPathGrace: o.UnknownPathGrace, Recorder: recorder, Tracer: o.Tracer, Now: time.Now,
		}),
	}
	r.sinks = supervise.New(supervise.Options{Journal: o.Journal, Metrics: m, Logger: o.Logger, Lookup: sinks.Lookup, Environment: o.Sinks, Recorder: recorder, Tracer: o.Tracer})
	recorder.Start(context.Background())
	r.taker = r.newTaker()
	r.admin = r.newAdmin()
	return r, nil
}

// Apply makes cfg the configuration, as a whole: on an error nothing has changed and the last good one is in force.
// Requests and sends that are under way end with what they began with. Sinks outlive ctx.
func (r *Receiver) Apply(ctx context.Context, cfg *config.Config) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	document, err := config.Encode(cfg)
	table, tableErr := r.compiler.Compile(cfg)
	plan, planErr := r.sinks.Plan(cfg.Sinks)
	if err := errors.Join(err, tableErr, planErr); err != nil {
		plan.Discard()
		r.metrics.Reload(metrics.ReloadRefused)
		return fmt.Errorf("configuration refused: %w", err)
	}
	// Sinks first: what the new routes lead to must be there when the first event arrives.
	r.sinks.Apply(ctx, plan)
	r.handler.Swap(table)
	r.forget(cfg)
	r.current.Store(&loadedConfig{config: cfg, hash: config.Hash(document), at: time.Now().UTC().Truncate(time.Second)})
	r.metrics.Reload(metrics.ReloadLoaded)
	return nil
}

// forget has metrics say nothing more of the endpoints that a new configuration has not.
func (r *Receiver) forget(next *config.Config) {
	last := r.current.Load()
	if last == nil {
		return
	}
	stay := make(map[string]bool, len(next.Endpoints))
	for i := range next.Endpoints {
		stay[next.Endpoints[i].Namespace+"/"+next.Endpoints[i].Name] = true
	}
	for i := range last.config.Endpoints {
		if name := last.config.Endpoints[i].Namespace + "/" + last.config.Endpoints[i].Name; !stay[name] {
			r.metrics.Forget(name)
		}
	}
}

// Ready says whether requests should be sent here.
func (r *Receiver) Ready() bool {
	return r.current.Load() != nil && !r.stopping.Load() && r.journalOpened()
}

// shutdown stops the receiver without losing anything: it stops being ready, goes on serving while that becomes known,
// refuses further requests, gives the sinks time to take what they are owed, hands the rest off to another pod where that is
// asked for, and closes the journal.
func (r *Receiver) shutdown(ctx context.Context, stopServing func()) error {
	r.stopping.Store(true)
	r.admin.Stop()
	r.options.Logger.Info("stopping", "waiting", pendingTotal(r.options.Journal.Stats()))
	time.Sleep(r.options.ShutdownDelay)
	r.handler.StopAccepting()
	stopServing()
	if r.taker != nil {
		r.taker.Drain()
		r.admin.Drain() // the hand-off, which empties the journal, would leave behind what is retried
	}
	r.flush(ctx)
	r.sinks.Stop()
	if err := r.recorder.Stop(ctx); err != nil {
		r.options.Logger.Warn("the history did not close", "error", err)
	}
	r.pods.stop(ctx, r.handOff(ctx))
	r.options.Logger.Info("stopped; what still waits is in the journal", "waiting", pendingTotal(r.options.Journal.Stats()))
	if err := r.options.Journal.Close(); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// flush waits until no sink is owed anything, or FlushTimeout. What is in a journal that others share is theirs to deliver.
func (r *Receiver) flush(ctx context.Context) {
	if _, shared := r.options.Journal.(journal.Shared); shared {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.FlushTimeout)
	defer cancel()
	tick := time.NewTicker(flushPoll)
	defer tick.Stop()
	for pendingTotal(r.options.Journal.Stats()) > 0 {
		select {
		case <-ctx.Done():
			r.options.Logger.Info("stopping with events still to deliver; they stay in the journal", "pending", pendingTotal(r.options.Journal.Stats()))
			return
		case <-tick.C:
		}
	}
}

const flushPoll = 20 * time.Millisecond

func pendingTotal(s journal.Stats) int64 {
	var n int64
	for _, pending := range s.Pending {
		n += pending
	}
	return n
}
