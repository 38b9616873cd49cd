package pressure

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
)

// nowhere is an address that nothing listens on.
const nowhere = "http://127.0.0.1:1/"

// TestSlowClients opens connections that say little or nothing more. All are cut within a minute.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	guarded := endpoint("guarded")
	guarded.Authentication.Header = config.HeaderFactor{Name: "X-Api-Key", Secrets: []string{"a key"}}
	paused := endpoint("paused")
	paused.State = config.Paused
	c := configuration(nowhere, guarded, paused)
	r := start(t, c)
	stop := r.provide()
	defer stop()
	length := " HTTP/1.1\r\nHost: example.com\r\nContent-Length: 1000\r\n"
	var group sync.WaitGroup
	for name, text := range map[string]string{
		"nothing":                        "",
		"half a request line":            "POST /ho",
		"half a header":                  "POST " + hook + " HTTP/1.1\r\nHost: example.com\r\nX-Half",
		"no body":                        "POST " + hook + length + "\r\n",
		"half a body":                    "POST " + hook + length + "\r\nhalf",
		"half a chunk":                   "POST " + hook + " HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"no body, to nobody":             "POST /nowhere" + length + "\r\n",
		"half a chunk, to nobody":        "POST /nowhere HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"no body, by another method":     "PUT " + hook + length + "\r\n",
		"no body of a probe":             "GET " + hook + length + "\r\n",
		"no body, compressed":            "POST " + hook + length + "Content-Encoding: gzip\r\n\r\n",
		"no body, without a credential":  "POST /hooks/mail/guarded" + length + "\r\n",
		"no body, to a paused endpoint":  "POST /hooks/mail/paused" + length + "\r\n",
		"an answered request, then less": "GET " + hook + " HTTP/1.1\r\nHost: example.com\r\n\r\nPOST " + hook,
	} {
		for range 10 {
			group.Go(func() {
				if _, lived := r.attack(text); lived > time.Minute {
					t.Errorf("%s: the connection lived for %v", name, lived.Round(time.Second))
				}
			})
		}
	}
	group.Wait()
}

// TestAnnouncedBodies has some connections announce what their endpoint takes at most, and send nothing, again as soon as they are cut.
func TestAnnouncedBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxBody int64
		idle    int
		text    string // after the headers
	}{
		"4 of the default bound":       {10 << 20, 4, ""},
		"1 of 50 MiB":                  {50 << 20, 1, ""},
		"1 of 100 MiB":                 {100 << 20, 1, ""},
		"300 of 100 MiB":               {100 << 20, 300, ""},
		"300 of 100 MiB, with a byte":  {100 << 20, 300, "{"},
		"300 of 100 MiB, with 3,000":   {100 << 20, 300, strings.Repeat(" ", 3000)},
		"100 of 100 MiB, with 100 KiB": {100 << 20, 100, strings.Repeat(" ", 100<<10)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			large := endpoint("large")
			large.MaxBodyBytes = c.maxBody
			r := start(t, configuration(nowhere, large))
			before := r.memory()
			const beside = "/hooks/mail/large"
			text := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: example.com\r\nContent-Length: %d\r\n\r\n%s", beside, c.maxBody, c.text)
			stop := r.provide()
			ended := time.Now().Add(12 * time.Second) // the first are cut after 5 or 15
			var group sync.WaitGroup
			for range c.idle {
				group.Go(func() {
					for time.Now().Before(ended) {
						if _, lived := r.attack(text); lived > 30*time.Second {
							t.Errorf("a connection lived for %v", lived)
						}
					}
				})
			}
			for i := 0; time.Now().Before(ended); i++ {
				if status := r.post(r.signed(beside, event(1_000_000+i))); status != http.StatusOK {
					t.Errorf("beside them a provider is answered %d", status)
				}
				time.Sleep(50 * time.Millisecond) // providers pause
			}
			group.Wait()
			stop()
			if grown := r.memory() - before; grown > 128<<20 {
				t.Errorf("the receiver grew by %d MiB", grown>>20)
			}
		})
	}
}

// TestMoreConnectionsThanThereMayBe opens more than a receiver keeps, which say nothing.
func TestMoreConnectionsThanThereMayBe(t *testing.T) {
	t.Parallel()
	r := start(t, configuration(nowhere))
	stop := r.provide()
	defer stop()
	var group sync.WaitGroup
	for range 5000 {
		group.Go(func() { r.attack("") })
	}
	group.Wait()
}

// TestHeaderFlood sends more headers than there can be.
func TestHeaderFlood(t *testing.T) {
	t.Parallel()
	r := start(t, configuration(nowhere))
	stop := r.provide()
	defer stop()
	before := r.memory()
	var group sync.WaitGroup
	for name, header := range map[string]string{
		"one long header": "X-Long: " + strings.Repeat("x", 8<<20),
		"many headers":    strings.Repeat("X-Many: x\r\n", 1<<19),
		"a long target":   "X: x",
	} {
		path := hook
		if name == "a long target" {
			path += "?" + strings.Repeat("x", 8<<20)
		}
		for range 10 {
			group.Go(func() {
				answer, _ := r.attack("POST " + path + " HTTP/1.1\r\nHost: example.com\r\n" + header + "\r\n\r\n")
				if answer != "" && !strings.HasPrefix(answer, "HTTP/1.1 431 ") { // an answer may be lost with the rest of the flood
					t.Errorf("%s: %.60q", name, answer)
				}
			})
		}
	}
	group.Wait()
	// 30 connections with 32 KiB each, and what the collector has not found yet; the floods are 8 MiB each.
	if grown := r.memory() - before; grown > 64<<20 {
		t.Errorf("the receiver grew by %d MiB", grown>>20)
	}
}

// TestManyConnections holds connections open that do nothing wrong.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	r := start(t, configuration(nowhere))
	stop := r.provide()
	defer stop()
	clients := make([]*http.Client, 500)
	for i := range clients {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		clients[i] = &http.Client{Transport: transport, Timeout: time.Minute}
	}
	for round := range 2 {
		for i, client := range clients {
			response, err := client.Do(r.signed(hook, event(1_000_000*(round+1)+i)))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("answer %d", response.StatusCode)
			}
		}
	}
}
