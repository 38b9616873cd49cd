package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/mailvane/mailvane/internal/simulate/emailengine"
	mailvane "github.com/mailvane/mailvane/receiver/provider"
)

const (
	// senders bounds the requests that are under way.
	senders = 64
	// retryPause is how long a sender waits before it repeats a request that was not answered: EmailEngine's first pause.
	retryPause = 5 * time.Second
	// timeout is how long a sender waits for an answer, as EmailEngine does.
	timeout = 30 * time.Second
)

// provider sends events as EmailEngine does. Every second sender opens a connection for each request, so that both
// connections that are kept and new ones meet what happens to the receivers.
type provider struct {
	ledger *ledger
	order  atomic.Pointer[order]
	busy   atomic.Int64
	next   atomic.Int64
}

func newProvider(l *ledger) *provider {
	p := &provider{ledger: l}
	p.order.Store(&order{})
	return p
}

// run sends what is ordered until ctx ends.
func (p *provider) run(ctx context.Context) {
	events := make(chan *order)
	for i := range senders {
		client := &http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: i%2 == 0, MaxIdleConnsPerHost: 1}}
		go func() {
			for o := range events {
				p.send(ctx, client, o)
				p.busy.Add(-1)
			}
		}()
	}
	defer close(events)
	limit := rate.NewLimiter(1, 1)
	for {
		o := p.order.Load()
		limit.SetLimit(rate.Limit(max(o.rate, 10)))
		if limit.Wait(ctx) != nil {
			return
		}
		// Counted before it is read again, so that nothing is under way when "busy" is 0 after a stop.
		p.busy.Add(1)
		if o = p.order.Load(); o.rate == 0 {
			p.busy.Add(-1)
			continue
		}
		events <- o
	}
}

// send sends one event, and once more if it is not answered, as providers do.
func (p *provider) send(ctx context.Context, client *http.Client, o *order) {
	event := p.next.Add(1)
	body := fmt.Sprintf(`{"account":"load","date":%q,"event":"trackOpen","data":{"messageId":"<%d@example.com>"}}`,
		time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), event)
	signed := &mailvane.Request{Header: http.Header{}, Body: []byte(body), ReceivedAt: time.Now()}
	settings, err := json.Marshal(map[string][]string{"serviceSecrets": {o.key}})
	if err == nil {
		err = emailengine.Sign(settings, nil, signed)
	}
	if err != nil {
		p.ledger.unanswered(err, true)
		return
	}
	target := o.urls[event%int64(len(o.urls))]
	for attempt := range 2 {
		started := time.Now()
		status, answer, err := post(ctx, client, target, signed)
		if err == nil {
			p.ledger.answered(event, status, answer, time.Since(started))
			return
		}
		p.ledger.unanswered(err, attempt == 1)
		time.Sleep(retryPause)
	}
}

func post(ctx context.Context, client *http.Client, target string, signed *mailvane.Request) (status int, answer string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(signed.Body))
	if err != nil {
		return 0, "", err
	}
	r.Header = signed.Header
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	return response.StatusCode, string(text), err
}
