// Command load is, in one pod, a provider that sends signed events all the time and the sink that gets them, so that it knows
// itself what was acknowledged and did not arrive. The end-to-end tests tell it what to do by GET requests, which is all that
// "kubectl get --raw" can send:
//
//	/send?url=U&url=V&key=K&rate=N    send N events a second to these endpoints in turn, signed with K, until told otherwise
//	/stop                             stop sending
//	/fail?status=503                  answer deliveries so; 200 = take them
//	/report                           what has happened so far
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

const address = ":8080"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	l := newLedger()
	p := newProvider(l)
	go p.run(ctx)
	server := &http.Server{Addr: address, Handler: handler(p, l), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close() // the test is over
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func handler(p *provider, l *ledger) http.Handler {
	var status atomic.Int64
	status.Store(http.StatusOK)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", func(w http.ResponseWriter, r *http.Request) {
		if s := int(status.Load()); s != http.StatusOK {
			w.WriteHeader(s)
			return
		}
		if err := l.take(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("GET /send", func(w http.ResponseWriter, r *http.Request) {
		o, err := parseOrder(r.URL.Query())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.order.Store(o)
	})
	mux.HandleFunc("GET /stop", func(http.ResponseWriter, *http.Request) { p.order.Store(&order{}) })
	mux.HandleFunc("GET /fail", func(w http.ResponseWriter, r *http.Request) {
		s, err := strconv.Atoi(r.FormValue("status"))
		if err != nil || s < 200 || s > 599 {
			http.Error(w, "status must be a number", http.StatusBadRequest)
			return
		}
		status.Store(int64(s))
	})
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(l.report(p)) // the test asks again
	})
	return mux
}

// order says what to send.
type order struct {
	urls []string
	key  string
	rate int // events per second; 0 = nothing
}

func parseOrder(q url.Values) (*order, error) {
	rate, err := strconv.Atoi(q.Get("rate"))
	if err != nil || rate < 1 || rate > 10_000 || len(q["url"]) == 0 || q.Get("key") == "" {
		return nil, errors.New("give url, key and a rate of 1 to 10000")
	}
	return &order{urls: q["url"], key: q.Get("key"), rate: rate}, nil
}
