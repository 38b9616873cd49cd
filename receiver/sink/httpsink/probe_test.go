package httpsink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// probed builds a sink and probes its destination.
func probed(t *testing.T, settings string, env sink.Environment) error {
	t.Helper()
	s, err := newSink([]byte(settings), env, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it returns nil
	return s.Probe(t.Context())
}

// TestAProbeSendsNothing looks at what a destination gets of a probe.
func TestAProbeSendsNothing(t *testing.T) {
	t.Parallel()
	for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
		requests := 0
		server := start(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
		defer server.Close()
		s, err := newSink([]byte(`{"url":"`+server.URL+`/events"}`), sink.Environment{}, clock)
		if err != nil {
			t.Fatal(err)
		}
		if c := server.Certificate(); c != nil {
			pool := x509.NewCertPool()
			pool.AddCert(c)
			s.connections.tls = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
		}
		if err := s.Probe(t.Context()); err != nil || requests != 0 {
			t.Errorf("%s: %v after %d requests", server.URL, err, requests)
		}
	}
}

func TestAProbeTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	unknown := httptest.NewTLSServer(http.NotFoundHandler())
	defer unknown.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, tc := range map[string]struct{ reason, url, want string }{
		"nobody there":      {"it is told before the first event", "http://127.0.0.1:1", "connection refused"},
		"unknown authority": {"no event would get there", unknown.URL, "certificate"},
		"no TLS":            {"no event would get there", "https://" + strings.TrimPrefix(plain.URL, "http://"), "tls"},
		"no such name":      {"a typing error", "http://nobody.invalid", "nobody.invalid"},
		"metadata service":  {"a probe must not go where an event must not", "http://169.254.169.254", "is not allowed"},
	} {
		err := probed(t, `{"url":"`+tc.url+`","headers":[{"name":"Authorization","secret":"Bearer abc"}]}`, sink.Environment{})
		if err == nil || !strings.Contains(err.Error(), tc.want) || sink.CauseOf(err) != sink.DestinationUnreachable || strings.Contains(err.Error(), "Bearer") {
			t.Errorf("%s: %v, want an error with %q: %s", name, err, tc.want, tc.reason)
		}
	}
}

// TestAProbeEndsInTime has a destination that takes connections and says nothing.
func TestAProbeEndsInTime(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed by the test
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // nothing was sent on it
	s, err := newSink([]byte(`{"url":"https://`+listener.Addr().String()+`"}`), sink.Environment{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Probe(ctx); !sink.IsUnreachable(err) {
		t.Errorf("Probe = %v", err)
	}
}

// TestAnswersSayWhatIsWrongWithTheConnection sends one event to destinations that refuse it.
func TestAnswersSayWhatIsWrongWithTheConnection(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]sink.Cause{
		401: sink.CredentialRefused, 403: sink.CredentialRefused, 407: sink.CredentialRefused, 404: sink.DestinationNotFound,
		500: sink.DeliveryFailing, 429: sink.DeliveryFailing, 301: sink.DeliveryFailing,
	} {
		d := newDestination(t)
		d.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		err := send(t, d.URL, modeStructured, sinktest.Message(0))
		if got := sink.CauseOf(err); got != want || sink.IsPermanent(err) {
			t.Errorf("%d: %v is %s, want %s for the moment", status, err, got, want)
		}
	}
}
