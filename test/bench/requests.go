package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/internal/simulate/emailengine"
	"github.com/mailvane/mailvane/internal/simulate/mailchannels"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/provider"
)

// secret signs the requests of the EmailEngine endpoints.
const secret = "0123456789abcdef0123456789abcdef"

// bounce is the messageBounce of EmailEngine's documentation, 479 bytes, but for its message id.
// https://learn.emailengine.app/docs/webhooks/messagebounce
const bounce = `{"account":"example","date":"2021-11-28T10:17:29.728Z","event":"messageBounce","data":{"bounceMessage":"AAAAAQAABWw",` +
	`"recipient":"failed.recipient@example.com","action":"failed","response":{"source":"smtp","message":` +
	`"550 5.1.1 <failed.recipient@example.com>: Recipient address rejected: User unknown in relay recipient table","status":"5.1.1"},` +
	`"mta":"mx.example.com","queueId":"BFC608226A","messageId":"<%032d@example.com>"}}`

// source makes requests, no two of which hold the same event.
type source struct {
	next int
	run  int64
	key  ed25519.PrivateKey
}

func newSource() *source {
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	return &source{run: time.Now().UnixNano(), key: ed25519.NewKeyFromSeed(seed)}
}

// bounces returns EmailEngine requests to the endpoints in turn.
func (s *source) bounces(ctx context.Context, count, endpoints int) ([][]byte, error) {
	out := make([][]byte, count)
	for i := range out {
		s.next++
		p := &provider.Request{Header: http.Header{}, Body: fmt.Appendf(nil, bounce, s.run+int64(s.next)), ReceivedAt: time.Now()}
		if err := emailengine.Sign([]byte(engineSettings), nil, p); err != nil {
			return nil, err
		}
		var err error
		if out[i], err = wire(ctx, enginePath(i%endpoints), p.Header, p.Body); err != nil {
			return nil, err
		}
	}
	return out, nil
}

const batchItems = 1000

// batch returns the body of a MailChannels batch of 1,000 items.
func (s *source) batch() []byte {
	var b bytes.Buffer
	for i := range batchItems {
		s.next++
		separator := ","
		if i == 0 {
			separator = "["
		}
		fmt.Fprintf(&b, `%s{"email":"sender@example.com","customer_handle":"abc123","timestamp":%d,"event":"delivered","request_id":"request-%d-%d",`+
			`"smtp_id":"<%d.%d@example.com>","recipients":["recipient-%d@example.com"],"campaign_id":"newsletter"}`,
			separator, time.Now().Unix(), s.run, s.next, s.run, s.next, i)
	}
	b.WriteByte(']')
	return b.Bytes()
}

// batches returns MailChannels requests, and the body of one.
func (s *source) batches(ctx context.Context, count int) (requests [][]byte, body []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil, nil, err
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	settings, err := s.channelSettings()
	if err != nil {
		return nil, nil, err
	}
	for range count {
		body = s.batch()
		p := &provider.Request{Header: http.Header{}, Body: body, ReceivedAt: time.Now()}
		if err := mailchannels.Sign(settings, private, p); err != nil {
			return nil, nil, err
		}
		request, err := wire(ctx, channelsPath, p.Header, p.Body)
		if err != nil {
			return nil, nil, err
		}
		requests = append(requests, request)
	}
	return requests, body, nil
}

const (
	engineSettings = `{"serviceSecrets":["` + secret + `"]}`
	channelsPath   = "/hooks/bench/channels"
)

func enginePath(i int) string { return "/hooks/bench/engine-" + strconv.Itoa(i) }

func (s *source) channelSettings() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"customerHandles":["abc123"],"publicKeys":[{"id":"bench","key":%q}]}`, base64.StdEncoding.EncodeToString(der)), nil
}

// configuration returns endpoints of EmailEngine and one of MailChannels, which route everything to every sink; the first route
// has a filter.
func (s *source) configuration(endpoints int, sinks []config.Sink) (*config.Config, error) {
	settings, err := s.channelSettings()
	if err != nil {
		return nil, err
	}
	c := &config.Config{Version: config.Version, Sinks: sinks}
	for i := range endpoints {
		c.Endpoints = append(c.Endpoints, endpoint("engine-"+strconv.Itoa(i), enginePath(i), config.Plugin{Type: "EmailEngine", Settings: []byte(engineSettings)}, sinks))
	}
	c.Endpoints = append(c.Endpoints, endpoint("channels", channelsPath, config.Plugin{Type: "MailChannels", Settings: settings}, sinks))
	return c, nil
}

// everyProvider returns an endpoint of each provider, with the settings of its samples, and a token in the path as well: some sign nothing.
func everyProvider(sinks []config.Sink) (*config.Config, error) {
	c := &config.Config{Version: config.Version, Sinks: sinks}
	for _, v := range simulate.Vendors() {
		settings, err := v.Settings()
		if err != nil {
			return nil, err
		}
		name := strings.ToLower(v.Type)
		e := endpoint(name, "/hooks/bench/"+name, config.Plugin{Type: v.Type, Settings: settings}, sinks)
		e.Authentication.PathToken.Secrets = []string{secret}
		c.Endpoints = append(c.Endpoints, e)
	}
	return c, nil
}

func endpoint(name, path string, kind config.Plugin, sinks []config.Sink) config.Endpoint {
	e := config.Endpoint{
		Namespace: "bench", Name: name, Path: path, Provider: kind,
		Verification: config.Enforce, State: config.Active, MaxBodyBytes: 10 << 20,
	}
	for i := range sinks {
		r := config.Route{Name: sinks[i].Name, Sink: sinks[i].Name}
		if i == 0 {
			r.Filter = `event.type.startsWith("email.") && event.type != "email.opened"`
		}
		e.Routes = append(e.Routes, r)
	}
	return e
}

// sinkAt is a batched HTTP sink with the defaults of the API.
func sinkAt(name, address string) config.Sink {
	return config.Sink{
		Namespace: "bench", Name: name,
		Kind: config.Plugin{Type: "HTTP", Settings: fmt.Appendf(nil, `{"url":"http://%s/","contentMode":"Batched"}`, address)},
		Delivery: config.Delivery{
			MaxInFlight: 32, BatchMaxEvents: 500, BatchMaxBytes: 1 << 20, LingerMilliseconds: 50, TimeoutSeconds: 15,
			InitialBackoffMilliseconds: 500, MaxBackoffSeconds: 300, MaxAgeSeconds: 259_200, Ordering: config.Unordered,
		},
	}
}
