package server

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/journal"
)

func (s *Server) serveDeadLetters(w http.ResponseWriter, q *http.Request, has access.Right) {
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
	letters, err := s.journal.DeadLetters().List(q.Context(), after, limit)
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

func (s *Server) serveDeadLetter(w http.ResponseWriter, q *http.Request, has access.Right) {
	id, err := strconv.ParseUint(q.PathValue("id"), 10, 64)
	if err != nil {
		http.Error(w, "a dead letter's ID is a number", http.StatusBadRequest)
		return
	}
	letter, err := s.journal.DeadLetters().Get(q.Context(), id)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		http.Error(w, "there is no dead letter "+q.PathValue("id"), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		answer(w, viewOf(&letter, has))
	}
}
