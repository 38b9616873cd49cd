package intake_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
)

// awaited is a journal that stores when it is told to, unless its caller gives up before.
type awaited struct {
	intake.Appender

	reached, store chan struct{}
}

func (j *awaited) Append(ctx context.Context, b journal.Batch) (journal.Receipt, error) {
	close(j.reached)
	select {
	case <-j.store:
		return j.Appender.Append(ctx, b)
	case <-ctx.Done():
		return journal.Receipt{}, ctx.Err()
	}
}

// TestAClientThatHangsUpAfterTheBody has its events stored and counted, and nothing is said to be wrong.
func TestAClientThatHangsUpAfterTheBody(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	stored := newFront(t, emailEngine(nil))
	j := &awaited{Appender: stored.journal, reached: make(chan struct{}), store: make(chan struct{})}
	f := newFrontWith(t, intake.Options{Journal: j, Logger: slog.New(slog.NewTextHandler(&log, nil))}, emailEngine(nil))
	ctx, hangUp := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.handler.ServeHTTP(httptest.NewRecorder(), signed(t, path, trackOpen).WithContext(ctx))
	}()
	<-j.reached
	hangUp()
	time.AfterFunc(10*time.Millisecond, func() { close(j.store) }) // who gives up with the client has done so by then
	<-done
	if got := f.counts("mail/ee"); got != (metrics.Counts{Accepted: 1}) {
		t.Errorf("counted %+v", got)
	}
	if owed := stored.owed("crm"); len(owed) != 1 {
		t.Errorf("%d events are stored", len(owed))
	}
	if log.Len() > 0 {
		t.Errorf("the log says %s", log.String())
	}
}

// undecided is a provider whose key server cannot be reached.
type undecided struct{ provider.Webhook }

func (undecided) Verify(ctx context.Context, _ *provider.Request) (provider.Proof, error) {
	return provider.Proof{}, errors.Join(errors.New("key server: no route to host"), ctx.Err())
}

// frontOfUndecided is a front whose only endpoint cannot decide what is authentic.
func frontOfUndecided(t *testing.T, o intake.Options) *front {
	t.Helper()
	f := newFrontWith(t, o)
	compiler := newCompiler(t, f.metrics)
	compiler.Lookup = func(string) (provider.Kind, bool) {
		return provider.Kind{New: func([]byte, provider.Environment) (provider.Webhook, error) { return undecided{}, nil }}, true
	}
	table, err := compiler.Compile(&config.Config{Version: config.Version, Endpoints: []config.Endpoint{emailEngine(nil)}})
	if err != nil {
		t.Fatal(err)
	}
	f.handler.Swap(table)
	return f
}

// TestFailuresAreLoggedOnceInAWhile counts the lines that any number of requests that fail alike cause.
func TestFailuresAreLoggedOnceInAWhile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		front func(*testing.T, intake.Options) *front
		level string
	}{
		"the journal is down": {func(t *testing.T, o intake.Options) *front {
			t.Helper()
			o.Journal = refusing{errors.New("disk is gone")}
			return newFrontWith(t, o, emailEngine(nil))
		}, "ERROR"},
		"a key cannot be looked up": {frontOfUndecided, "WARN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			f := c.front(t, intake.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }})
			for _, round := range []struct {
				requests, lines int
				say             string
				then            time.Duration
			}{{200, 1, "left_out=0", 59 * time.Second}, {100, 0, "", time.Second}, {1, 1, "left_out=299", 0}, {1, 0, "", 0}} {
				log.Reset()
				for range round.requests {
					if a := f.do(signed(t, path, trackOpen)); a.status != 503 {
						t.Fatalf("%d %s", a.status, a.body)
					}
				}
				said := log.String()
				if strings.Count(said, "\n") != round.lines || !strings.Contains(said, round.say) {
					t.Errorf("%d requests, log %q", round.requests, said)
				}
				if round.lines > 0 && !strings.Contains(said, "level="+c.level) {
					t.Errorf("not at level %s: %s", c.level, said)
				}
				now = now.Add(round.then)
			}
		})
	}
}

// TestAClientThatHangsUpDuringVerification causes no line.
func TestAClientThatHangsUpDuringVerification(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := frontOfUndecided(t, intake.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	if a := f.do(signed(t, path, trackOpen).WithContext(ctx)); a.status != 503 || log.Len() > 0 {
		t.Errorf("%d, the log says %q", a.status, log.String())
	}
}

// TestARefusedRequestThatWaitsToContinue is closed at once: the client sends no body after such an answer.
func TestARefusedRequestThatWaitsToContinue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		head   string
		status int
	}{
		"an unknown path":  {"POST /nowhere HTTP/1.1\r\nContent-Length: 1000\r\n", 404},
		"no credential":    {"POST /hooks/mail/guarded HTTP/1.1\r\nContent-Length: 1000\r\n", 401},
		"too large":        {"POST " + path + " HTTP/1.1\r\nContent-Length: 99000000\r\n", 413},
		"compressed":       {"POST " + path + " HTTP/1.1\r\nContent-Length: 1000\r\nContent-Encoding: gzip\r\n", 415},
		"without a length": {"POST /nowhere HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 404},
		"another method":   {"PUT " + path + " HTTP/1.1\r\nContent-Length: 1000\r\n", 405},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFront(t, emailEngine(nil), emailEngine(func(e *config.Endpoint) {
					e.Name, e.Path = "guarded", "/hooks/mail/guarded"
					e.Authentication.Header = config.HeaderFactor{Name: "X-Api-Key", Secrets: []string{"a key"}}
				}))
				client, started := f.dial(), time.Now()
				defer func() { _ = client.Close() }()
				go func() { _, _ = io.WriteString(client, c.head+"Host: x\r\nExpect: 100-continue\r\n\r\n") }()
				in := bufio.NewReader(client)
				response, err := http.ReadResponse(in, nil) //nolint:bodyclose // the connection is closed
				if err != nil {
					t.Fatal(err)
				}
				_, err = io.ReadAll(response.Body)
				if response.StatusCode != c.status || err != nil {
					t.Errorf("status %d, %v", response.StatusCode, err)
				}
				if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
					t.Errorf("after the answer: %v", err)
				}
				if took := time.Since(started); took > time.Second { // net/http lingers for half a second
					t.Errorf("closed after %v", took)
				}
			})
		})
	}
}

// TestSlowBodies are cut when they do not begin, and when they do not go on.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		length  int
		first   int           // bytes at once
		each    int           // bytes in each second after that
		silence time.Duration // before the first
		status  int
		within  time.Duration
	}{
		"nothing":                                    {1000, 0, 0, 0, 503, 5 * time.Second},
		"nothing of a large one":                     {100 << 20, 0, 0, 0, 503, 5 * time.Second},
		"late, but whole":                            {1000, 1000, 0, 4 * time.Second, 200, 5 * time.Second},
		"a byte":                                     {1000, 1, 0, 0, 503, 10 * time.Second},
		"a byte, late":                               {1000, 1, 0, 4 * time.Second, 503, 15 * time.Second},
		"a byte in each second":                      {1000, 1, 1, 0, 503, 10 * time.Second},
		"a small one in time":                        {1000, 1, 111, 0, 200, 10 * time.Second},
		"nearly all of a large one":                  {8 << 20, 8<<20 - 1, 0, 0, 503, 11 * time.Second},
		"a large one, just slower than may":          {8 << 20, 1, 63 << 10, 0, 503, 10 * time.Second},
		"a large one, faster than it must be":        {8 << 20, 1, 80 << 10, 0, 200, 110 * time.Second},
		"one that takes longer than an exchange may": {16 << 20, 1, 80 << 10, 0, 200, 220 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFront(t, emailEngine(func(e *config.Endpoint) { e.MaxBodyBytes = 100 << 20 }))
				client, started := f.dial(), time.Now()
				body := padded("a", min(c.length, 16<<20))
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					head := signed(t, path, body).Header
					_, _ = fmt.Fprintf(client, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", path, c.length)
					_ = head.Write(client)
					_, _ = io.WriteString(client, "\r\n")
					time.Sleep(c.silence)
					trickle(client, body, c.first, c.each)
				}()
				response, err := http.ReadResponse(bufio.NewReader(client), nil)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(started); response.StatusCode != c.status || took > c.within {
					t.Errorf("%d after %v, want %d within %v", response.StatusCode, took, c.status, c.within)
				}
				_, _ = response.Body.Close(), client.Close()
				<-sent
			})
		})
	}
}

// trickle writes the first bytes of a body at once, and then so many in each second; none = that was all.
func trickle(w net.Conn, body string, first, each int) {
	for n := first; n > 0 && body != ""; n = each {
		n = min(n, len(body))
		if _, err := io.WriteString(w, body[:n]); err != nil {
			return
		}
		body = body[n:]
		time.Sleep(time.Second)
	}
}
