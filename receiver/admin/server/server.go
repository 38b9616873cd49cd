// Package server answers a receiver's admin API: what package admin promises, from a journal and what a receiver tells of itself.
package server

import (
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/journal"
)

// Receiver is what a receiver tells of itself.
type Receiver struct {
	// Loaded says which configuration is in force, and what goes wrong.
	Loaded func() config.Loaded
	// Endpoints describes the endpoints that are served.
	Endpoints func() ([]admin.Endpoint, error)
	// Sinks describes the sinks, those that are owed events and configured no more among them.
	Sinks func() []admin.Sink
	// Requeue returns what a dead letter becomes under the present configuration.
	Requeue func(*journal.DeadLetter) (journal.Batch, error)
	// History is what happened; nil = it is not kept, and HistoryProblem says for people why if it should be.
	History        history.Store
	HistoryProblem string
	// Attempted is told of dead letters that a person retried or dropped; nil = nobody is.
	Attempted func(history.Attempt)
}

// Server answers the admin API. It is safe for concurrent use.
type Server struct {
	receiver Receiver
	journal  journal.Journal
	logger   *slog.Logger
	stopping atomic.Bool
	acting   sync.RWMutex // held for reading while dead letters are retried or dropped, and for good once none may be
}

// New returns a server for a receiver and its journal. Who acted on dead letters, by right, is told to the logger.
func New(r *Receiver, j journal.Journal, logger *slog.Logger) *Server {
	return &Server{receiver: *r, journal: j, logger: logger}
}

// Stop refuses to act on dead letters from now on, with 503.
func (s *Server) Stop() { s.stopping.Store(true) }

// Drain stops and returns when what is being done to dead letters is done.
func (s *Server) Drain() {
	s.Stop()
	s.acting.Lock()
}

// Route is one thing that the admin API answers.
type Route struct {
	// Pattern is one of [http.ServeMux].
	Pattern string
	// Right is what it takes.
	Right access.Right
	// Serve answers it.
	Serve access.Handler
}

// Routes is everything that the admin API answers to who has a token. The retry of a dead letter says why it failed, which is as
// personal as its reason; what is read with a right below privacy is masked.
func (s *Server) Routes() []Route {
	return []Route{
		{"GET " + admin.PathConfig, access.Viewer, func(w http.ResponseWriter, _ *http.Request, _ access.Right) { answer(w, s.receiver.Loaded()) }},
		{"GET " + admin.PathEndpoints, access.Viewer, s.serveEndpoints},
		{"GET " + admin.PathJournal, access.Viewer, s.serveJournal},
		{"GET " + admin.PathSinks, access.Viewer, s.serveSinks},
		{"GET " + admin.PathDeadLetters, access.Viewer, s.serveDeadLetters},
		{"GET " + admin.PathDeadLetters + "/{id}", access.Viewer, s.serveDeadLetter},
		{"GET " + admin.PathHistory, access.Viewer, s.serveHistory},
		{"GET " + admin.PathRefusals, access.Viewer, s.serveRefusals},
		{"POST " + admin.PathErase, access.Privacy, s.serveErase},
		{"POST " + admin.PathRetry, access.Operator, s.serving("retry", history.Retried, s.retry)},
		{"POST " + admin.PathDrop, access.Operator, s.serving("drop", history.Dropped, s.drop)},
	}
}

// Register adds all routes to a mux, each behind the right that it takes.
func (s *Server) Register(mux *http.ServeMux, guard *access.Guard) {
	for _, route := range s.Routes() {
		mux.Handle(route.Pattern, guard.Require(route.Right, route.Serve))
	}
}
