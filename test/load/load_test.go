package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// endpointThat stands for a receiver: it answers as it is told, and hands what it answered 200 to the sink.
func endpointThat(t *testing.T, answers func(n int) int, deliver func(body string)) string {
	t.Helper()
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := new(strings.Builder)
		_ = r.Write(body) // to memory
		n++
		status := answers(n)
		if status == 0 {
			panic(http.ErrAbortHandler) // hangs up
		}
		w.WriteHeader(status)
		if status == http.StatusOK && r.Header.Get("X-EE-Wh-Signature") != "" {
			deliver(body.String())
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestTheReportIsTrue lets one thing of each kind go wrong.
func TestTheReportIsTrue(t *testing.T) {
	t.Parallel()
	l := newLedger()
	p := newProvider(l)
	lost := false
	url := endpointThat(t, func(n int) int {
		switch n {
		case 2:
			return http.StatusUnauthorized
		case 3, 6, 7:
			return 0
		}
		return http.StatusOK
	}, func(body string) {
		// As a sink gets it: the brackets are gone.
		body = strings.NewReplacer(`"<`, `"`, `>"`, `"`).Replace(body)
		if !lost {
			lost = true // the first one is not delivered
			return
		}
		if err := l.take(strings.NewReader(body + body)); err != nil { // and the others twice
			t.Error(err)
		}
	})
	o := &order{urls: []string{url}, key: "key", rate: 1}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 5 {
		p.send(t.Context(), client, o)
	}
	got := l.report(p)
	// 1: acknowledged and lost. 2: refused. 3: hung up on, then acknowledged. 4: acknowledged. 5: hung up on twice.
	if got.Acknowledged != 3 || got.Delivered != 2 || got.Repeated != 2 || got.Other[401] != 1 || got.Unanswered != 2 || got.GivenUp != 1 {
		t.Errorf("%+v", got)
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"url=a&url=b&key=k&rate=10": true, "url=a&rate=10": false, "key=k&rate=10": false, "url=a&key=k&rate=0": false, "url=a&key=k&rate=x": false,
	} {
		q, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		o, err := parseOrder(q)
		if good != (err == nil) || good && (len(o.urls) != 2 || o.rate != 10) {
			t.Errorf("%s: %+v, %v", text, o, err)
		}
	}
}
