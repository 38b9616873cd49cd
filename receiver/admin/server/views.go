package server

import (
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/journal"
)

func (s *Server) serveEndpoints(w http.ResponseWriter, _ *http.Request, _ access.Right) {
	endpoints, err := s.receiver.Endpoints()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, endpoints)
}

func (s *Server) serveJournal(w http.ResponseWriter, _ *http.Request, _ access.Right) {
	view := admin.Journal{}
	if shared, ok := s.journal.(journal.Shared); ok {
		view.Shared = shared.SharedName()
	}
	answer(w, view)
}

func (s *Server) serveSinks(w http.ResponseWriter, _ *http.Request, has access.Right) {
	views := s.receiver.Sinks()
	for i := range views {
		if !has.Includes(access.Privacy) {
			views[i].Mask()
		}
	}
	answer(w, views)
}

// answer writes what was asked for.
func answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // the client is gone; there is nobody to tell
}
