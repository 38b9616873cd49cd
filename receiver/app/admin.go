package app

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/dedupe"
	"github.com/mailvane/mailvane/receiver/handoff"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
)

// maxAdminBody bounds a request to the admin API: a page of IDs.
const maxAdminBody = 64 << 10

// retriesAtOnce bounds the dead letters that one request retries at a time.
const retriesAtOnce = 32

func (r *Receiver) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+admin.PathHealth, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET "+admin.PathReady, r.serveReady)
	mux.Handle("GET "+admin.PathMetrics, promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET "+admin.PathConfig, func(w http.ResponseWriter, _ *http.Request) { answer(w, r.loaded()) })
	mux.HandleFunc("GET "+admin.PathEndpoints, func(w http.ResponseWriter, _ *http.Request) { r.serveEndpoints(w) })
	mux.HandleFunc("GET "+admin.PathJournal, func(w http.ResponseWriter, _ *http.Request) { answer(w, r.journal()) })
	mux.HandleFunc("GET "+admin.PathSinks, func(w http.ResponseWriter, _ *http.Request) { answer(w, r.sinks()) })
	mux.HandleFunc("GET "+admin.PathDeadLetters, r.serveDeadLetters)
	mux.HandleFunc("GET "+admin.PathDeadLetters+"/{id}", r.serveDeadLetter)
	mux.HandleFunc("POST "+admin.PathRetry, func(w http.ResponseWriter, q *http.Request) { r.serveIDs(w, q, r.retry) })
	mux.HandleFunc("POST "+admin.PathDrop, func(w http.ResponseWriter, q *http.Request) { r.serveIDs(w, q, r.drop) })
	if r.taker != nil {
		mux.Handle("POST "+handoff.Path, r.taker)
	}
	if r.pods != nil {
		mux.Handle("POST "+dedupe.Path, &r.pods.handler)
	}
	return mux
}

func (r *Receiver) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !r.Ready() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// Endpoints describes the endpoints that are served.
func (r *Receiver) Endpoints() []intake.Summary {
	current := r.current.Load()
	if current == nil {
		return nil
	}
	return intake.Summaries(current.config)
}

func (r *Receiver) serveEndpoints(w http.ResponseWriter) {
	counts, err := r.metrics.Counts()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	out := []admin.Endpoint{}
	for _, summary := range r.Endpoints() {
		out = append(out, admin.Endpoint{Summary: summary, Counts: counts[summary.Name]})
	}
	answer(w, out)
}

func (r *Receiver) journal() admin.Journal {
	if shared, ok := r.options.Journal.(journal.Shared); ok {
		return admin.Journal{Shared: shared.SharedName()}
	}
	return admin.Journal{}
}

func (r *Receiver) loaded() config.Loaded {
	loaded := config.Loaded{JournalProblem: r.options.Journal.Stats().Problem}
	if current := r.current.Load(); current != nil {
		loaded.Hash = current.hash
	}
	return loaded
}

func (r *Receiver) sinks() []admin.Sink {
	stats := r.options.Journal.Stats()
	out := []admin.Sink{}
	r.fleet.mu.Lock()
	defer r.fleet.mu.Unlock()
	for name, s := range r.fleet.running {
		h := s.worker.Health()
		view := admin.Sink{
			Name: name, Type: s.kind, Healthy: h.Healthy, Pending: stats.Pending[name],
			LastError: h.LastError, LastErrorTime: h.LastErrorAt.UTC(),
		}
		if h.LastErrorAt.IsZero() {
			view.LastErrorTime = time.Time{}
		}
		if oldest, ok := stats.OldestAccepted[name]; ok {
			view.OldestSeconds = int64(time.Since(oldest).Seconds())
		}
		out = append(out, view)
	}
	slices.SortFunc(out, func(a, b admin.Sink) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (r *Receiver) serveDeadLetters(w http.ResponseWriter, q *http.Request) {
	after, err := strconv.ParseUint(firstOf(q.FormValue("after"), "0"), 10, 64)
	if err != nil {
		http.Error(w, "after must be the ID of a dead letter", http.StatusBadRequest)
		return
	}
	limit, err := strconv.Atoi(firstOf(q.FormValue("limit"), "100"))
	if err != nil || limit < 1 || limit > admin.PageSize {
		http.Error(w, "limit must be between 1 and "+strconv.Itoa(admin.PageSize), http.StatusBadRequest)
		return
	}
	letters, err := r.options.Journal.DeadLetters().List(q.Context(), after, limit)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	views := make([]admin.DeadLetter, 0, len(letters))
	for i := range letters {
		views = append(views, admin.NewDeadLetter(&letters[i]))
	}
	answer(w, views)
}

func firstOf(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func (r *Receiver) serveDeadLetter(w http.ResponseWriter, q *http.Request) {
	id, err := strconv.ParseUint(q.PathValue("id"), 10, 64)
	if err != nil {
		http.Error(w, "a dead letter's ID is a number", http.StatusBadRequest)
		return
	}
	letter, err := r.options.Journal.DeadLetters().Get(q.Context(), id)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		http.Error(w, "there is no dead letter "+q.PathValue("id"), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		answer(w, admin.NewDeadLetter(&letter))
	}
}

// serveIDs runs an action on dead letters. It asks for a JSON content type, which no page of another site can send unasked.
// Once the receiver is about to stop it refuses: the hand-off, which empties the journal, would leave behind what is retried.
func (r *Receiver) serveIDs(w http.ResponseWriter, q *http.Request, act func(context.Context, []uint64) admin.Result) {
	if q.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return
	}
	var in admin.IDs
	if err := json.UnmarshalRead(http.MaxBytesReader(w, q.Body, maxAdminBody), &in); err != nil {
		http.Error(w, `send {"ids":[...]}: `+err.Error(), http.StatusBadRequest)
		return
	}
	if r.stopping.Load() || !r.acting.TryRLock() {
		http.Error(w, "this receiver is about to stop; list the dead letters again in a moment", http.StatusServiceUnavailable)
		return
	}
	defer r.acting.RUnlock()
	answer(w, act(q.Context(), in.IDs))
}

// retry makes dead letters live again under the present configuration, each on its own, many at once: they share the
// journal's waits for stable storage.
func (r *Receiver) retry(ctx context.Context, ids []uint64) admin.Result {
	result := admin.Result{Failed: map[uint64]string{}}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(retriesAtOnce)
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		group.Go(func() error {
			err := r.retryOne(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				result.Failed[id] = err.Error()
				return nil
			}
			result.Done++
			return nil
		})
	}
	_ = group.Wait() // every error is in the result
	return result
}

// retryOne retries one dead letter. Of two that do so at once both may find it; the journal takes what they append once.
func (r *Receiver) retryOne(ctx context.Context, id uint64) error {
	letter, err := r.options.Journal.DeadLetters().Get(ctx, id)
	if err != nil {
		return err
	}
	batch, err := r.handler.Table().Requeue(&letter, time.Now())
	if err != nil {
		return err
	}
	_, err = r.options.Journal.Append(ctx, batch)
	return err
}

func (r *Receiver) drop(ctx context.Context, ids []uint64) admin.Result {
	done, err := r.options.Journal.DeadLetters().Drop(ctx, ids)
	result := admin.Result{Done: done}
	if err != nil {
		result.Failed = make(map[uint64]string, len(ids))
		for _, id := range ids {
			result.Failed[id] = err.Error()
		}
	}
	return result
}

func answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // the client is gone; there is nobody to tell
}
