package app

import (
	"net/http"
	"time"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/admin/server"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/dedupe"
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/handoff"
	"github.com/mailvane/mailvane/receiver/journal"
)

// newAdmin returns what answers the admin API.
func (r *Receiver) newAdmin() *server.Server {
	return server.New(&server.Receiver{
		Loaded: r.loaded, Endpoints: r.endpoints, Sinks: r.sinkViews,
		Requeue: func(letter *journal.DeadLetter) (journal.Batch, error) {
			return r.handler.Table().Requeue(letter, time.Now())
		},
		History: r.options.History, HistoryProblem: r.options.HistoryProblem, Attempted: r.recorder.Attempted,
	}, r.options.Journal, r.options.Logger)
}

// adminHandler returns the admin API. Every route of it asks for a token, but what the pods of a receiver tell each other, which they
// prove by a key of their own.
func (r *Receiver) adminHandler() http.Handler {
	guard := &access.Guard{Keyring: &r.options.AdminKeys, Host: r.options.AdminHost, Refused: r.metrics.AdminRefused}
	mux := http.NewServeMux()
	r.admin.Register(mux, guard)
	if r.taker != nil {
		mux.Handle("POST "+handoff.Path, r.taker)
	}
	if r.pods != nil {
		mux.Handle("POST "+dedupe.Path, &r.pods.handler)
	}
	return guard.FromHere(mux)
}

// Endpoints describes the endpoints that are served.
func (r *Receiver) Endpoints() []endpoint.Summary {
	current := r.current.Load()
	if current == nil {
		return nil
	}
	return endpoint.Summaries(current.config)
}

func (r *Receiver) endpoints() ([]admin.Endpoint, error) {
	counts, err := r.metrics.Counts()
	if err != nil {
		return nil, err
	}
	problems := map[string][]config.Problem{}
	for _, p := range r.problems(time.Now()) {
		problems[p.Endpoint] = append(problems[p.Endpoint], p)
	}
	out := []admin.Endpoint{}
	for _, summary := range r.Endpoints() {
		out = append(out, admin.Endpoint{Summary: summary, Counts: counts[summary.Name], Problems: problems[summary.Name]})
	}
	return out, nil
}

func (r *Receiver) loaded() config.Loaded {
	stats := r.options.Journal.Stats()
	loaded := config.Loaded{
		JournalProblem: stats.Problem, JournalDamage: stats.Damage, JournalWarning: stats.Warning, Problems: r.problems(time.Now()),
		Connections: r.sinks.Connections(), HistoryProblem: r.recorder.Problem(),
	}
	current := r.current.Load()
	if current == nil {
		return loaded
	}
	key, err := r.options.ConfigKey()
	if err != nil {
		r.options.Logger.Error("the configuration cannot be named to the manager", "error", err)
		return loaded
	}
	loaded.Hash = config.Fingerprint(key, current.hash)
	return loaded
}

func (r *Receiver) sinkViews() []admin.Sink {
	stats := r.options.Journal.Stats()
	out := []admin.Sink{}
	for _, s := range r.sinks.States() {
		view := admin.Sink{
			Name: s.Name, Type: s.Type, Healthy: s.Healthy, Pending: stats.Pending[s.Name],
			LastError: s.LastError, LastErrorTime: s.LastErrorAt.UTC(),
		}
		if s.LastErrorAt.IsZero() {
			view.LastErrorTime = time.Time{}
		}
		if oldest, ok := stats.OldestAccepted[s.Name]; ok {
			view.OldestSeconds = int64(time.Since(oldest).Seconds())
		}
		out = append(out, view)
	}
	return out
}
