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

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/httpsink/settings"
)

// Kind returns the sink kind "HTTP".
func Kind() sink.Kind {
	return sink.Kind{Type: "HTTP", New: func(data []byte, env sink.Environment) (sink.Sink, error) {
		return newSink(data, env, time.Now)
	}}
}

// httpSink is one destination.
type httpSink struct {
	target      *target
	connections *connections
	now         func() time.Time
}

// target is where and how requests are sent.
type target struct{ settings.Parsed }

var (
	_ sink.BatchLimiter = (*httpSink)(nil)
	_ sink.Prober       = (*httpSink)(nil)
)

func newSink(data []byte, env sink.Environment, now func() time.Time) (*httpSink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	return &httpSink{target: &target{parsed}, connections: newConnections(env.Dialer(dialTimeout), parsed.TLS, now()), now: now}, nil
}

// MaxBatch returns 1, and in batched mode any number.
func (s *httpSink) MaxBatch() int {
	if s.target.Mode == settings.ContentModeBatched {
		return math.MaxInt
	}
	return 1
}

// Send posts the messages, in order, and returns nil when each was answered with 2xx.
func (s *httpSink) Send(ctx context.Context, batch sink.Batch) error {
	if len(batch.Messages) == 0 {
		return nil
	}
	contents, err := s.target.contents(batch)
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
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.URL, http.NoBody)
	if err != nil {
		return errors.New("request cannot be built") // the cause would quote the URL
	}
	use := c.body.attach(request)
	defer use.end() // after the response is closed
	maps.Copy(request.Header, s.target.Headers)
	maps.Copy(request.Header, c.header)
	s.target.complete(request)
	now := s.now()
	sign(request.Header, s.target.Keys, c.id, now, c.body)
	// No client: one follows redirects, and quotes those that it cannot read. What is signed for one destination is not for another.
	response, err := s.connections.at(now).RoundTrip(request)
	if err != nil {
		return unanswered(err, use)
	}
	defer response.Body.Close()                       //nolint:errcheck // it was read as far as it matters
	defer time.AfterFunc(maxDrainTime, cancel).Stop() // ends the reading
	return s.target.classify(response, s.now())
}

// complete adds what the configured headers leave open.
func (t *target) complete(r *http.Request) {
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "mailvane")
	}
	if user := r.URL.User; user != nil && r.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		r.SetBasicAuth(user.Username(), password)
	}
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
