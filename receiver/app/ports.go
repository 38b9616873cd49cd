package app

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/dedupe"
	"github.com/mailvane/mailvane/receiver/handoff"
)

// route is one thing that the admin API answers, and the right that it takes.
type route struct {
	pattern string
	right   access.Right
	serve   access.Handler
}

// routes is everything that the admin API answers to who has a token. The retry of a dead letter says why it failed, which is as
// personal as its reason; what is read with a right below privacy is masked.
func (r *Receiver) routes() []route {
	return []route{
		{"GET " + admin.PathConfig, access.Viewer, func(w http.ResponseWriter, _ *http.Request, _ access.Right) { answer(w, r.loaded()) }},
		{"GET " + admin.PathEndpoints, access.Viewer, r.serveEndpoints},
		{"GET " + admin.PathJournal, access.Viewer, func(w http.ResponseWriter, _ *http.Request, _ access.Right) { answer(w, r.journal()) }},
		{"GET " + admin.PathSinks, access.Viewer, r.serveSinks},
		{"GET " + admin.PathDeadLetters, access.Viewer, r.serveDeadLetters},
		{"GET " + admin.PathDeadLetters + "/{id}", access.Viewer, r.serveDeadLetter},
		{"POST " + admin.PathRetry, access.Operator, r.serving("retry", r.retry)},
		{"POST " + admin.PathDrop, access.Operator, r.serving("drop", r.drop)},
	}
}

// adminHandler returns the admin API. Every route of it is in routes and asks for a token there, but what the pods of a receiver tell each
// other, which they prove by a key of their own.
func (r *Receiver) adminHandler() http.Handler {
	guard := &access.Guard{Keyring: &r.options.AdminKeys, Host: r.options.AdminHost, Refused: r.metrics.AdminRefused}
	mux := http.NewServeMux()
	for _, route := range r.routes() {
		mux.Handle(route.pattern, guard.Require(route.right, route.serve))
	}
	if r.taker != nil {
		mux.Handle("POST "+handoff.Path, r.taker)
	}
	if r.pods != nil {
		mux.Handle("POST "+dedupe.Path, &r.pods.handler)
	}
	return guard.FromHere(mux)
}

// metricsHandler answers who scrapes and probes. Nothing of it is personal: it is open to whoever reaches it.
func (r *Receiver) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+admin.PathHealth, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET "+admin.PathReady, r.serveReady)
	mux.Handle("GET "+admin.PathMetrics, promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{}))
	return mux
}

func (r *Receiver) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !r.Ready() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}
