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
	"golang.org/x/sync/errgroup"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
)

// maxAdminBody bounds a request to the admin API: a page of IDs.
const maxAdminBody = 64 << 10

// retriesAtOnce bounds the dead letters that one request retries at a time.
const retriesAtOnce = 32

// Endpoints describes the endpoints that are served.
func (r *Receiver) Endpoints() []intake.Summary {
	current := r.current.Load()
	if current == nil {
		return nil
	}
	return intake.Summaries(current.config)
}

func (r *Receiver) serveEndpoints(w http.ResponseWriter, _ *http.Request, _ access.Right) {
	counts, err := r.metrics.Counts()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	problems := map[string][]config.Problem{}
	for _, p := range r.handler.Table().Problems(time.Now()) {
		problems[p.Endpoint] = append(problems[p.Endpoint], p)
	}
	out := []admin.Endpoint{}
	for _, summary := range r.Endpoints() {
		out = append(out, admin.Endpoint{Summary: summary, Counts: counts[summary.Name], Problems: problems[summary.Name]})
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
	stats := r.options.Journal.Stats()
	loaded := config.Loaded{JournalProblem: stats.Problem, JournalDamage: stats.Damage, Problems: r.handler.Table().Problems(time.Now())}
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

func (r *Receiver) serveSinks(w http.ResponseWriter, _ *http.Request, has access.Right) {
	views := r.sinks()
	for i := range views {
		if !has.Includes(access.Privacy) {
			views[i].Mask()
		}
	}
	answer(w, views)
}

func (r *Receiver) serveDeadLetters(w http.ResponseWriter, q *http.Request, has access.Right) {
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
		views = append(views, viewOf(&letters[i], has))
	}
	answer(w, views)
}

// viewOf returns the view of a dead letter for who has a right.
func viewOf(letter *journal.DeadLetter, has access.Right) admin.DeadLetter {
	view := admin.NewDeadLetter(letter)
	if !has.Includes(access.Privacy) {
		view.Mask()
	}
	return view
}

func firstOf(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func (r *Receiver) serveDeadLetter(w http.ResponseWriter, q *http.Request, has access.Right) {
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
		answer(w, viewOf(&letter, has))
	}
}

// action is something that is done to dead letters.
type action func(context.Context, []uint64) admin.Result

// serving returns what runs an action, and logs it with the right of who asked for it.
func (r *Receiver) serving(name string, act action) access.Handler {
	return func(w http.ResponseWriter, q *http.Request, has access.Right) {
		r.serveIDs(w, q, func(ctx context.Context, ids []uint64) admin.Result {
			result := act(ctx, ids)
			if !has.Includes(access.Privacy) {
				result.Mask()
			}
			r.options.Logger.Info("dead letters were acted on", "action", name, "done", result.Done, "failed", len(result.Failed), "right", has.String())
			return result
		})
	}
}

// serveIDs runs an action on dead letters. It asks for a JSON content type, which no page of another site can send unasked.
// Once the receiver is about to stop it refuses: the hand-off, which empties the journal, would leave behind what is retried.
func (r *Receiver) serveIDs(w http.ResponseWriter, q *http.Request, act action) {
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
