package server

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/history"
)

// maxBody bounds a request: a page of IDs.
const maxBody = 64 << 10

// retriesAtOnce bounds the dead letters that one request retries at a time.
const retriesAtOnce = 32

// action is something that is done to dead letters.
type action func(context.Context, []uint64) admin.Result

// serving returns what runs an action, and logs it and tells the history of it with the right of who asked for it.
func (s *Server) serving(name string, outcome history.Outcome, act action) access.Handler {
	return func(w http.ResponseWriter, q *http.Request, has access.Right) {
		s.serveIDs(w, q, func(ctx context.Context, ids []uint64) admin.Result {
			result := s.recorded(ctx, ids, act, history.Attempt{Outcome: outcome, Answer: "by right " + has.String()})
			if !has.Includes(access.Privacy) {
				result.Mask()
			}
			s.logger.Info("dead letters were acted on", "action", name, "done", result.Done, "failed", len(result.Failed), "right", has.String())
			return result
		})
	}
}

// serveIDs runs an action on dead letters. It asks for a JSON content type, which no page of another site can send unasked.
// Once the receiver is about to stop it refuses: the hand-off, which empties the journal, would leave behind what is retried.
func (s *Server) serveIDs(w http.ResponseWriter, q *http.Request, act action) {
	if q.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return
	}
	var in admin.IDs
	if err := json.UnmarshalRead(http.MaxBytesReader(w, q.Body, maxBody), &in); err != nil {
		http.Error(w, `send {"ids":[...]}: `+err.Error(), http.StatusBadRequest)
		return
	}
	if s.stopping.Load() || !s.acting.TryRLock() {
		http.Error(w, "this receiver is about to stop; list the dead letters again in a moment", http.StatusServiceUnavailable)
		return
	}
	defer s.acting.RUnlock()
	answer(w, act(q.Context(), in.IDs))
}

// retry makes dead letters live again under the present configuration, each on its own, many at once: they share the
// journal's waits for stable storage.
func (s *Server) retry(ctx context.Context, ids []uint64) admin.Result {
	result := admin.Result{Failed: map[uint64]string{}}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(retriesAtOnce)
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		group.Go(func() error {
			err := s.retryOne(ctx, id)
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
func (s *Server) retryOne(ctx context.Context, id uint64) error {
	letter, err := s.journal.DeadLetters().Get(ctx, id)
	if err != nil {
		return err
	}
	batch, err := s.receiver.Requeue(&letter)
	if err != nil {
		return err
	}
	_, err = s.journal.Append(ctx, batch)
	return err
}

func (s *Server) drop(ctx context.Context, ids []uint64) admin.Result {
	done, err := s.journal.DeadLetters().Drop(ctx, ids)
	result := admin.Result{Done: done}
	if err != nil {
		result.Failed = make(map[uint64]string, len(ids))
		for _, id := range ids {
			result.Failed[id] = err.Error()
		}
	}
	return result
}
