package app

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/mailvane/mailvane/receiver/connections"
	"github.com/mailvane/mailvane/receiver/intake"
)

// serverStopTimeout bounds the wait for requests under way when the servers stop.
const serverStopTimeout = 20 * time.Second

// Listeners are where a receiver serves.
type Listeners struct {
	// Webhooks takes events.
	Webhooks net.Listener
	// Admin serves the admin API, and takes what other pods hand off; nil = nowhere.
	Admin net.Listener
	// Metrics serves metrics and probes; nil = nowhere.
	Metrics net.Listener
}

// Serve serves on the listeners until ctx ends, then shuts down in order. It returns nil after an orderly shutdown.
func (r *Receiver) Serve(ctx context.Context, l Listeners) error {
	front := &http.Server{
		Handler: r.closing(r.handler), ReadHeaderTimeout: intake.ReadHeaderTimeout, ReadTimeout: intake.ReadTimeout, WriteTimeout: intake.WriteTimeout,
		IdleTimeout: intake.IdleTimeout, MaxHeaderBytes: intake.MaxHeaderBytes, ErrorLog: quiet(r.options.Logger),
	}
	failed := make(chan error, 3)
	serve(front, connections.Bound(front, l.Webhooks, connections.Options{Max: webhookConnections(), Handled: true, Hit: r.metrics.Limit}), failed)
	backs := []*http.Server{r.serveBehind(r.adminHandler(), l.Admin, failed), r.serveBehind(r.metricsHandler(), l.Metrics, failed)}
	r.pods.begin(ctx)
	watching, stopWatching := context.WithCancel(ctx)
	go r.sinks.AdoptOrphans(watching)
	go r.tellOversized(watching)
	defer stopWatching()
	var serveErr error
	select {
	case <-ctx.Done():
	case serveErr = <-failed:
	}
	after := context.WithoutCancel(ctx)
	err := r.shutdown(after, func() { stop(after, front, serverStopTimeout) })
	for _, back := range backs {
		stop(after, back, time.Second)
	}
	return errors.Join(serveErr, err)
}

// serveBehind serves what is not for providers; a nil listener serves nothing.
func (r *Receiver) serveBehind(h http.Handler, l net.Listener, failed chan<- error) *http.Server {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: intake.ReadHeaderTimeout, ReadTimeout: intake.WriteTimeout, WriteTimeout: intake.WriteTimeout,
		IdleTimeout: intake.IdleTimeout, MaxHeaderBytes: intake.MaxHeaderBytes, ErrorLog: quiet(r.options.Logger),
	}
	if l != nil {
		serve(s, connections.Bound(s, l, connections.Options{Max: backConnections, Hit: r.metrics.Limit}), failed)
	}
	return s
}

func serve(s *http.Server, l net.Listener, failed chan<- error) {
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
	}()
}

func stop(ctx context.Context, s *http.Server, within time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		_ = s.Close() // the clients that are left are cut; what they sent was not answered 200
	}
}

// quiet logs what net/http says about single connections at debug level: a stranger can cause any amount of it.
func quiet(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelDebug) }
