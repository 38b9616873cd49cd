package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// mood is how a sink treats requests for a while.
type mood int

const (
	taking   mood = iota
	failing       // 500
	limiting      // 429 with Retry-After
	hanging       // no answer
	cutting       // takes the events and closes the connection in the middle of the answer
	down          // refuses connections
	moods
)

// sink is one destination, an HTTP server on an address of its own that it keeps while it is down.
type sink struct {
	name    string
	ledger  *ledger
	address string

	mu     sync.Mutex
	mood   mood
	server *http.Server
}

func newSink(ctx context.Context, name string, l *ledger) (*sink, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{name: name, ledger: l, address: listener.Addr().String()}
	s.serve(listener)
	return s, nil
}

func (s *sink) serve(l net.Listener) {
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func(server *http.Server) { _ = server.Serve(l) }(s.server) // it ends when the sink goes down
}

// eventNumber finds the events in a delivery: the senders number them.
var eventNumber = regexp.MustCompile(`"providerEventId":"(\d+)"`)

// ServeHTTP takes a delivery, or does not.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	now := s.mood
	s.mu.Unlock()
	switch now {
	case failing:
		w.WriteHeader(http.StatusInternalServerError)
	case limiting:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case hanging:
		<-r.Context().Done()
	case cutting:
		s.take(body)
		panic(http.ErrAbortHandler) //nolint:forbidigo // it is how net/http is told to cut a connection
	default:
		s.take(body)
	}
}

func (s *sink) take(body []byte) {
	var events []int
	for _, m := range eventNumber.FindAllSubmatch(body, -1) {
		if n, err := strconv.Atoi(string(m[1])); err == nil {
			events = append(events, n)
		}
	}
	s.ledger.arrive(s.name, events)
}

// become changes the mood, or returns false when the sink cannot come back at the moment.
func (s *sink) become(ctx context.Context, m mood) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case m == down && s.mood != down:
		_ = s.server.Close() // that is the point
	case m != down && s.mood == down:
		if !s.reopen(ctx) {
			return false
		}
	}
	s.mood = m
	return true
}

func (s *sink) reopen(ctx context.Context) bool {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.address)
	if err != nil {
		return false
	}
	s.serve(l)
	return true
}

// suffer changes the mood at random until ctx ends, then makes the sink take everything.
func (s *sink) suffer(ctx context.Context, decide *rand.Rand) {
	after := context.WithoutCancel(ctx)
	for pause(ctx, time.Duration(500+decide.IntN(3500))*time.Millisecond) {
		m := taking
		if decide.IntN(2) == 0 {
			m = mood(decide.IntN(int(moods)))
		}
		s.become(ctx, m)
	}
	for !s.become(after, taking) {
		pause(after, 50*time.Millisecond) // somebody else has the address for a moment
	}
}

// pause waits, and returns false when ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
