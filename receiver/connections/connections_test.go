package connections_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/connections"
	"github.com/mailvane/mailvane/receiver/metrics"
)

// server is a real one with few connections.
type server struct {
	t       *testing.T
	address string

	mu   sync.Mutex
	hits map[string]int
}

const most = 8

func start(t *testing.T, o connections.Options, headerTime time.Duration, h http.HandlerFunc) *server {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, address: l.Addr().String(), hits: map[string]int{}}
	o.Max, o.Hit = most, func(limit string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hits[limit]++
	}
	running := &http.Server{Handler: h, ReadHeaderTimeout: headerTime, IdleTimeout: time.Minute, MaxHeaderBytes: 4 << 10}
	bounded := connections.Bound(running, l, o)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = running.Serve(bounded)
	}()
	t.Cleanup(func() {
		_ = running.Close()
		<-done
	})
	return s
}

func (s *server) hit(limit string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[limit]
}

// dial opens a connection and sends text.
func (s *server) dial(text string) net.Conn {
	s.t.Helper()
	var dialer net.Dialer
	c, err := dialer.DialContext(context.Background(), "tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, text); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// status reads an answer whole.
func (s *server) status(c net.Conn) int {
	s.t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode
}

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// reading is a handler that reads the body, and says so.
func reading(w http.ResponseWriter, q *http.Request) {
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(time.Now().Add(time.Minute))
	_, _ = io.Copy(io.Discard, q.Body) // its end may be that of the connection
	_ = controller.SetReadDeadline(time.Time{})
}

// TestANewClientGetsIn although others hold all connections.
func TestANewClientGetsIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text     string
		answered bool
	}{
		"they say nothing":        {"", false},
		"they began a request":    {"GET / HTTP/1.1\r\nHost: x\r\nX-Half", false},
		"they had an answer":      {get, true},
		"they began another":      {get + "GET / HT", true},
		"they do not send a body": {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", false},
		"they send half a body":   {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, connections.Options{Handled: true}, time.Minute, reading)
			for range 5 * most {
				if held := s.dial(c.text); c.answered && s.status(held) != http.StatusOK {
					t.Error("one of them was not answered")
				}
			}
			for range most {
				if got := s.status(s.dial(get)); got != http.StatusOK {
					t.Errorf("a new client: %d", got)
				}
			}
			if s.hit(metrics.LimitConnections) < 4*most {
				t.Errorf("%d connections were closed", s.hit(metrics.LimitConnections))
			}
		})
	}
}

// TestWhatIsHandledIsSpared while its handler does not wait for the client. Who comes meanwhile waits.
func TestWhatIsHandledIsSpared(t *testing.T) {
	t.Parallel()
	begun, gate := make(chan struct{}, 2*most), make(chan struct{})
	s := start(t, connections.Options{Handled: true}, time.Minute, func(w http.ResponseWriter, q *http.Request) {
		reading(w, q)
		begun <- struct{}{}
		<-gate
	})
	post := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
	var clients []net.Conn
	for range most {
		clients = append(clients, s.dial(post))
	}
	for range most {
		<-begun
	}
	for range most {
		clients = append(clients, s.dial(post)) // in the system's queue
	}
	select {
	case <-begun:
		t.Error("one more is handled at once")
	default:
	}
	close(gate)
	for i, c := range clients {
		if got := s.status(c); got != http.StatusOK {
			t.Errorf("client %d: %d", i, got)
		}
	}
}

// TestWhatIsHandledIsClosedWhereItIsNotKept as on the ports behind, where no handler says when it waits for the client.
func TestWhatIsHandledIsClosedWhereItIsNotKept(t *testing.T) {
	t.Parallel()
	s := start(t, connections.Options{}, time.Minute, func(_ http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body) // its end may be that of the connection
	})
	for range 5 * most {
		s.dial("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
	}
	if got := s.status(s.dial(get)); got != http.StatusOK {
		t.Errorf("a new client: %d", got)
	}
}

// TestHeadersAreCounted where net/http refuses them before any handler.
func TestHeadersAreCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text   string
		status int // 0 = the connection is closed
		want   map[string]int
	}{
		"a request":                      {get, 200, nil},
		"a large header":                 {"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 16<<10) + "\r\n\r\n", 431, map[string]int{metrics.LimitHeader: 1}},
		"many headers":                   {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: x\r\n", 4<<10) + "\r\n", 431, map[string]int{metrics.LimitHeader: 1}},
		"half a header":                  {"GET / HTTP/1.1\r\nHost: x\r\nX-Half", 0, map[string]int{metrics.LimitHeaderTime: 1}},
		"half a header, after a request": {get + "GET / HTTP/1.1\r\nX-Half", 200, map[string]int{metrics.LimitHeaderTime: 1}},
		"nothing":                        {"", 0, nil}, // a probe of a load balancer, or a connection ahead of need
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, connections.Options{Handled: true}, 100*time.Millisecond, reading)
			client := s.dial(c.text)
			if c.status != 0 {
				if got := s.status(client); got != c.status {
					t.Errorf("answered %d, want %d", got, c.status)
				}
			}
			if c.status != 200 || len(c.want) > 0 {
				_, _ = io.Copy(io.Discard, client) // until it is closed
			}
			for limit, n := range c.want {
				if s.hit(limit) != n {
					t.Errorf("%d hits of %s, want %d", s.hit(limit), limit, n)
				}
			}
			if len(c.want) == 0 && s.hit(metrics.LimitHeader)+s.hit(metrics.LimitHeaderTime) > 0 {
				t.Errorf("hits %v", s.hits)
			}
		})
	}
}
