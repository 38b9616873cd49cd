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

// held is a body of which a part arrives, and the rest only when it is let go.
type held struct {
	now, later io.Reader
	gate       chan struct{}
	reached    chan struct{}
	once       sync.Once
}

func (h *held) Read(p []byte) (int, error) {
	if n, err := h.now.Read(p); err == nil {
		return n, nil
	}
	h.once.Do(func() { close(h.reached) })
	<-h.gate
	return h.later.Read(p)
}

// hold sends a request to path whose body stops after some bytes, and returns when it has.
func (f *front) hold(path, body string, announced int64, arrives int, gate chan struct{}) chan answer {
	f.t.Helper()
	r := signed(f.t, path, body)
	h := &held{now: strings.NewReader(body[:arrives]), later: strings.NewReader(body[arrives:]), gate: gate, reached: make(chan struct{})}
	r.Body, r.ContentLength = io.NopCloser(h), announced
	done := make(chan answer, 1)
	go func() { done <- f.do(r) }()
	select {
	case <-h.reached:
	case a := <-done:
		f.t.Fatalf("a body that is to be held: %d %s", a.status, a.body)
	}
	return done
}

// padded returns an event of EmailEngine of an account, of so many bytes.
func padded(account string, length int) string {
	text := strings.Replace(trackOpen, `"a"`, `"`+account+`"`, 1)
	return text + strings.Repeat(" ", max(length-len(text), 0))
}

// TestWhatIsAnnouncedKeepsNobodyOut announces bodies of which nothing or little arrives, beside genuine events.
func TestWhatIsAnnouncedKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		announced int64 // -1 = chunked
		count     int
		arrives   int
	}{
		"some of the default bound":              {10 << 20, 4, 0},
		"one of what Webex Connect may be given": {50 << 20, 1, 0},
		"one of the largest bound":               {100 << 20, 1, 0},
		"many of the largest bound":              {100 << 20, 500, 0},
		"many that end in the lane of small":     {64 << 10, 500, 0},
		"many without a length":                  {-1, 500, 0},
		"many that begin":                        {100 << 20, 500, 1},
		"many that begin well":                   {100 << 20, 500, 4000},
		"some that sent more":                    {100 << 20, 8, 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			large := func(e *config.Endpoint) { e.MaxBodyBytes = 100 << 20 }
			other := emailEngine(func(e *config.Endpoint) { e.Name, e.Path = "other", "/hooks/mail/other" })
			f := newFront(t, emailEngine(large), other)
			gate, all := make(chan struct{}), make([]chan answer, c.count)
			for i := range all {
				all[i] = f.hold(path, padded("a", c.arrives), c.announced, c.arrives, gate)
			}
			for i, length := range []int{0, 3000, 60_000, 1 << 20} {
				account := string(rune('b' + i))
				for _, to := range []string{path, "/hooks/mail/other"} {
					if a := f.do(signed(t, to, padded(account, length))); a.status != 200 || a.Accepted != 1 {
						t.Errorf("an event of %d bytes at %s: %d %s", length, to, a.status, a.body)
					}
				}
			}
			close(gate)
			for _, done := range all {
				if a := <-done; a.status != 400 && a.status != 401 && a.status != 200 {
					t.Errorf("one that stopped: %d %s", a.status, a.body)
				}
			}
		})
	}
}

// TestLargeBodiesLeaveALane fills what large bodies may have with bytes that are there. Small events pass all the same.
func TestLargeBodiesLeaveALane(t *testing.T) {
	t.Parallel()
	other := emailEngine(func(e *config.Endpoint) { e.Name, e.Path = "other", "/hooks/mail/other" })
	f := newFrontWith(t, intake.Options{MaxInFlightBytes: 4 << 20}, emailEngine(nil), other)
	const length = 700_000
	gate := make(chan struct{})
	var all []chan answer
	for i, to := range []string{path, path, "/hooks/mail/other", "/hooks/mail/other"} { // 2 of the 2 MiB less an eighth of an endpoint
		all = append(all, f.hold(to, padded(string(rune('a'+i)), length), length, length-1, gate))
	}
	if a := f.do(signed(t, path, padded("large", length))); a.status != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("one more large body: %d %s", a.status, a.body)
	}
	for i, account := range []string{"b", "c", "d", "e"} {
		for _, to := range []string{path, "/hooks/mail/other"} {
			if a := f.do(signed(t, to, padded(account, i*20_000))); a.status != 200 {
				t.Errorf("a small event at %s: %d %s", to, a.status, a.body)
			}
		}
	}
	close(gate)
	for _, done := range all {
		if a := <-done; a.status != 200 {
			t.Errorf("a large one: %d %s", a.status, a.body)
		}
	}
	if a := f.do(signed(t, path, padded("large", length))); a.status != 200 {
		t.Errorf("after the large ones: %d %s", a.status, a.body)
	}
}

// TestOneClientHoldsAPart has one client send large bodies that do not end, where a trusted proxy says which client it is.
func TestOneClientHoldsAPart(t *testing.T) {
	t.Parallel()
	const length = 700_000
	proxy := prefixes(t, "192.0.2.1") // where httptest's requests come from
	f := newFrontWith(t, intake.Options{MaxInFlightBytes: 4 << 20, TrustedProxies: proxy}, emailEngine(nil))
	from := func(client string, r *http.Request) *http.Request {
		r.Header.Set("X-Forwarded-For", client)
		return r
	}
	gate := make(chan struct{})
	r := from("2001:db8::1", signed(t, path, padded("a", length)))
	h := &held{now: strings.NewReader(padded("a", length)[:length-1]), later: strings.NewReader(" "), gate: gate, reached: make(chan struct{})}
	r.Body = io.NopCloser(h)
	done := make(chan answer)
	go func() { done <- f.do(r) }()
	<-h.reached
	for client, want := range map[string]int{"2001:db8::2": 429, "2001:db8:0:1::2": 200, "203.0.113.9": 200, "unknown": 200} {
		if a := f.do(from(client, signed(t, path, padded(client, length)))); a.status != want {
			t.Errorf("a large body of %s: %d %s, want %d", client, a.status, a.body, want)
		}
	}
	if a := f.do(from("2001:db8::2", signed(t, path, padded("small", 40_000)))); a.status != 200 {
		t.Errorf("a small event of the same client: %d %s", a.status, a.body)
	}
	close(gate)
	if a := <-done; a.status != 200 {
		t.Errorf("the first: %d %s", a.status, a.body)
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
	gate := make(chan struct{})
	var all []chan answer
	for i := range 8 {
		all = append(all, f.hold(path, padded("account-"+string(rune('a'+i)), 0), -1, 0, gate))
	}
	close(gate)
	for _, done := range all {
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
