package app

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/mailvane/mailvane/receiver/admin"
)

// metricsHandler answers who scrapes and probes. Nothing of it is personal: it is open to whoever reaches it.
func (r *Receiver) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+admin.PathHealth, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET "+admin.PathReady, r.serveReady)
	mux.Handle("GET "+admin.PathMetrics, promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	return mux
}

func (r *Receiver) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !r.Ready() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}
