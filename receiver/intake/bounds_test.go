package intake_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
)

// held is a body that arrives only when it is let go.
type held struct {
	io.Reader
	gate    chan struct{}
	reached chan struct{}
	once    sync.Once
}

func (h *held) Read(p []byte) (int, error) {
	h.once.Do(func() { close(h.reached) })
	<-h.gate
	return h.Reader.Read(p)
}

func TestBytesInFlightAreBounded(t *testing.T) {
	t.Parallel()
	other := emailEngine(func(e *config.Endpoint) { e.Name, e.Path = "other", "/hooks/mail/other" })
	f := newFrontWith(t, intake.Options{MaxInFlightBytes: 1000}, emailEngine(nil), other)
	body := trackOpen + strings.Repeat(" ", 600-len(trackOpen))
	gate, done := make(chan struct{}), make(chan answer)
	slow := signed(t, path, body)
	h := &held{Reader: strings.NewReader(body), gate: gate, reached: make(chan struct{})}
	slow.Body = io.NopCloser(h)
	go func() { done <- f.do(slow) }()
	<-h.reached
	if a := f.do(signed(t, path, trackOpen)); a.status != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("the same endpoint: %d %s", a.status, a.body)
	}
	if a := f.do(signed(t, "/hooks/mail/other", body)); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("more than is left: %d %s", a.status, a.body)
	}
	if a := f.do(signed(t, "/hooks/mail/other", trackOpen)); a.status != 200 {
		t.Errorf("another endpoint, within what is left: %d %s", a.status, a.body)
	}
	close(gate)
	if a := <-done; a.status != 200 {
		t.Errorf("the slow one: %d %s", a.status, a.body)
	}
	if a := f.do(signed(t, path, strings.Replace(body, `"a"`, `"b"`, 1))); a.status != 200 {
		t.Errorf("after the slow one: %d %s", a.status, a.body)
	}
}

func TestABodyLargerThanTheBudgetIsTakenAlone(t *testing.T) {
	t.Parallel()
	f := newFrontWith(t, intake.Options{MaxInFlightBytes: 10}, emailEngine(nil))
	if a := f.do(signed(t, path, trackOpen)); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestChunkedBodiesHoldWhatTheyAre(t *testing.T) {
	t.Parallel()
	f := newFrontWith(t, intake.Options{MaxInFlightBytes: 256 << 10}, emailEngine(nil)) // less than one body may have
	gate, done := make(chan struct{}), make(chan answer)
	const atOnce = 8
	for i := range atOnce {
		body := strings.Replace(trackOpen, `"a"`, `"account-`+string(rune('a'+i))+`"`, 1)
		r := signed(t, path, body)
		h := &held{Reader: strings.NewReader(body), gate: gate, reached: make(chan struct{})}
		r.Body, r.ContentLength = io.NopCloser(h), -1
		go func() { done <- f.do(r) }()
		<-h.reached
	}
	close(gate)
	for range atOnce {
		if a := <-done; a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	// Larger than the budget: admitted only while nothing else is held.
	for i, length := range []int64{-1, 600_000, -1} {
		body := strings.Replace(trackOpen, `"a"`, `"large-`+string(rune('a'+i))+`"`, 1)
		r := signed(t, path, body+strings.Repeat(" ", 600_000-len(body)))
		r.ContentLength = length
		if a := f.do(r); a.status != 200 {
			t.Errorf("a large one, alone, of length %d: %d %s", length, a.status, a.body)
		}
	}
}

// pipeListener accepts the connections that the test makes, in the test's fake time.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error { close(l.closed); return nil }

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// dial serves the front with the timeouts of a receiver, and returns the client's end of a connection to it.
func (f *front) dial() net.Conn {
	f.t.Helper()
	listener := &pipeListener{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{
		Handler: f.handler, ReadHeaderTimeout: intake.ReadHeaderTimeout, ReadTimeout: intake.ReadTimeout, WriteTimeout: intake.WriteTimeout,
	}
	go func() { _ = server.Serve(listener) }()
	f.t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	client, remote := net.Pipe()
	listener.connections <- remote
	return client
}

func TestALargeBodyThatArrivesInTimeIsAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFront(t, emailEngine(func(e *config.Endpoint) { e.MaxBodyBytes = 100 << 20 }))
		client, body := f.dial(), trackOpen+strings.Repeat(" ", 80<<20)
		defer func() { _ = client.Close() }()
		request, written := signed(t, path, body), make(chan error, 1)
		request.Body = io.NopCloser(&paced{strings.NewReader(body)})
		go func() { written <- request.Write(client) }()
		response, err := http.ReadResponse(bufio.NewReader(client), request)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusOK {
			t.Errorf("status %d", response.StatusCode)
		}
		if err := errors.Join(<-written, response.Body.Close()); err != nil {
			t.Error(err)
		}
	})
}

// paced yields 300 KiB in each second.
type paced struct{ io.Reader }

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	time.Sleep(time.Duration(n) * time.Second / (300 << 10))
	return n, err
}

func TestAClientThatTricklesIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFront(t, emailEngine(nil))
		client := f.dial()
		started, trickled := time.Now(), make(chan struct{})
		go func() {
			defer close(trickled)
			_, _ = io.WriteString(client, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
			for {
				time.Sleep(time.Second)
				if _, err := io.WriteString(client, "x"); err != nil {
					return
				}
			}
		}()
		response, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusServiceUnavailable || !response.Close {
			t.Errorf("status %d, connection closed: %v", response.StatusCode, response.Close)
		}
		if took := time.Since(started); took > time.Minute {
			t.Errorf("cut after %v", took)
		}
		_ = client.Close()
		<-trickled
	})
}
