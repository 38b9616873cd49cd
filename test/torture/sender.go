package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/internal/simulate/emailengine"
	"github.com/mailvane/mailvane/receiver/provider"
)

// retryPause is how long a sender waits before it sends the same request again; providers take seconds and more.
const retryPause = 50 * time.Millisecond

// eventsPerMessage is how many events share a message id, and with it a partition key, so that order by key has something to do.
const eventsPerMessage = 5

// eventIDHeader numbers the event. Unlike the body, which is also kept raw, it appears once in what arrives at a sink.
const eventIDHeader = "X-EE-Wh-Event-Id"

// senders send as EmailEngine does: each event until it is answered 200, the same bytes each time. Where there are several
// receivers, each attempt goes to the next.
type senders struct {
	urls   []string
	ledger *ledger
	next   atomic.Int64
	client *http.Client
}

func newSenders(receivers []*receiver, l *ledger, connections int) *senders {
	var urls []string
	for _, r := range receivers {
		urls = append(urls, "http://"+r.webhooks+hookPath)
	}
	return &senders{
		urls: urls, ledger: l,
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: connections}},
	}
}

// run sends one event after the other until ctx ends. An event that is not answered by then may or may not be stored.
func (s *senders) run(ctx context.Context) error {
	for ctx.Err() == nil {
		event := int(s.next.Add(1))
		request, err := s.sign(event)
		if err != nil {
			return err
		}
		for attempt := event; !s.post(ctx, s.urls[attempt%len(s.urls)], request) && pause(ctx, retryPause); attempt++ {
		}
		if ctx.Err() == nil {
			s.ledger.ack(event)
		}
	}
	return nil
}

func (s *senders) sign(event int) (*provider.Request, error) {
	body := fmt.Sprintf(`{"account":"account-%d","date":"2026-01-02T03:04:05.678Z","event":"trackOpen","data":{"messageId":"<%d@example.com>"}}`,
		event, event/eventsPerMessage)
	r := &provider.Request{Header: http.Header{}, Body: []byte(body), ReceivedAt: time.Now()}
	r.Header.Set(eventIDHeader, strconv.Itoa(event))
	return r, emailengine.Sign([]byte(secrets), nil, r)
}

// post sends once and reports whether the answer was 200.
func (s *senders) post(ctx context.Context, url string, r *provider.Request) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(r.Body))
	if err != nil {
		return false
	}
	q.Header = r.Header
	response, err := s.client.Do(q)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, response.Body) // the status is the answer
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
