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
	target      *target
	connections *connections
	now         func() time.Time
}

var _ sink.BatchLimiter = (*httpSink)(nil)

func newSink(settings []byte, env sink.Environment, now func() time.Time) (*httpSink, error) {
	t, err := parseSettings(settings, env.Now)
	if err != nil {
		return nil, err
	}
	return &httpSink{target: t, connections: newConnections(env.AllowedPrefixes, t.tls, now()), now: now}, nil
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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.url, http.NoBody)
	if err != nil {
		return errors.New("request cannot be built") // the cause would quote the URL
	}
	use := c.body.attach(request)
	defer use.end() // after the response is closed
	maps.Copy(request.Header, s.target.headers)
	maps.Copy(request.Header, c.header)
	s.target.complete(request)
	now := s.now()
	sign(request.Header, s.target.keys, c.id, now, c.body)
	// No client: one follows redirects, and quotes those that it cannot read. What is signed for one destination is not for another.
	response, err := s.connections.at(now).RoundTrip(request)
	if err != nil {
		return unanswered(err, use)
	}
	defer response.Body.Close()                       //nolint:errcheck // it was read as far as it matters
	defer time.AfterFunc(maxDrainTime, cancel).Stop() // ends the reading
	return s.target.classify(response, s.now())
}

// unanswered is the error of a request without an answer. Only when nothing was sent is the destination away; else it may be what was
// sent that it does not answer.
func unanswered(err error, use *use) error {
	err = fmt.Errorf("destination did not answer: %w", err)
	if !use.hasBegun() {
		return sink.Unreachable(err)
	}
	return err
}

// Close closes the idle connections.
func (s *httpSink) Close() error {
	s.connections.close()
	return nil
}
