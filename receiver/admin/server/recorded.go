package server

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/journal"
)

// recorded runs an action and tells the history of the dead letters that it was done to. Its time is that of the beginning: what is retried may
// be delivered before the action ends, and that comes last.
func (s *Server) recorded(ctx context.Context, ids []uint64, act action, done history.Attempt) admin.Result {
	if s.receiver.Attempted == nil || s.receiver.History == nil {
		return act(ctx, ids)
	}
	done.At = time.Now()
	letters := map[uint64]journal.DeadLetter{}
	for _, id := range ids {
		if letter, err := s.journal.DeadLetters().Get(ctx, id); err == nil && letter.EventID != "" && letter.Sink != "" {
			letter.Payload = nil
			letters[id] = letter
		}
	}
	result := act(ctx, ids)
	for id, letter := range letters {
		if _, failed := result.Failed[id]; failed {
			continue
		}
		done.Sink = letter.Sink
		done.Events = []history.Sent{{Key: history.KeyOf([]byte(letter.EventID), []byte(letter.Endpoint)), AcceptedAt: letter.At}}
		s.receiver.Attempted(done)
	}
	return result
}
