// Package httpsink posts events to a URL, in the content modes of the CloudEvents HTTP protocol binding 1.0.2 and signed
// as the Standard Webhooks specification 1.0.0 says.
package httpsink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/mailvane/mailvane/receiver/sink"
)

// Kind returns the sink kind "HTTP".
func Kind() sink.Kind {
	return sink.Kind{Type: "HTTP", New: func(settings []byte, env sink.Environment) (sink.Sink, error) {
		return newSink(settings, env, time.Now)
	}}
}

// httpSink is one destination.
type httpSink struct {
	target    *target
	transport *http.Transport
	now       func() time.Time
}

var _ sink.BatchLimiter = (*httpSink)(nil)

func newSink(settings []byte, env sink.Environment, now func() time.Time) (*httpSink, error) {
	t, err := parseSettings(settings)
	if err != nil {
		return nil, err
	}
	return &httpSink{target: t, transport: newTransport(env.AllowedPrefixes), now: now}, nil
}

// MaxBatch returns 1, and in batched mode any number.
func (s *httpSink) MaxBatch() int {
	if s.target.mode == modeBatched {
		return math.MaxInt
	}
	return 1
}

// Send posts the messages, in order, and returns nil when each was answered with 2xx.
func (s *httpSink) Send(ctx context.Context, messages []sink.Message) error {
	if len(messages) == 0 {
		return nil
	}
	contents, err := s.target.contents(messages)
	if err != nil {
		return err
	}
	for i := range contents {
		if err := s.post(ctx, &contents[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *httpSink) post(ctx context.Context, c *content) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.url, http.NoBody)
	if err != nil {
		return errors.New("request cannot be built") // the cause would quote the URL
	}
	defer c.body.attach(request)() // after the response is closed
	maps.Copy(request.Header, s.target.headers)
	maps.Copy(request.Header, c.header)
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", "mailvane")
	}
	sign(request.Header, s.target.keys, c.id, s.now(), c.body)
	response, err := s.client().Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read as far as it matters
	return s.target.classify(response, s.now())
}

// client follows no redirects: what is signed for one destination is not for another.
func (s *httpSink) client() *http.Client {
	return &http.Client{Transport: s.transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// withoutURL takes the URL off an error of the client: it may hold credentials.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("destination did not answer: %w", err)
}

// Close closes the idle connections.
func (s *httpSink) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}
