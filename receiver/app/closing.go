package app

import "net/http"

// closing tells clients to use another connection for their next request, from when the receiver is asked to stop. A connection
// that is closed while it waits for a request may cut the one that is just coming in.
func (r *Receiver) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if r.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, q)
	})
}
