package tracing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func recorded(options ...sdktrace.TracerProviderOption) (*sdktrace.TracerProvider, *tracetest.InMemoryExporter) {
	spans := tracetest.NewInMemoryExporter()
	return sdktrace.NewTracerProvider(append(options, sdktrace.WithSyncer(spans))...), spans
}

// TestWithoutATracer does nothing, everywhere.
func TestWithoutATracer(t *testing.T) {
	t.Parallel()
	var none *Tracer
	ctx, request := none.Request(t.Context(), Request{})
	if ctx != t.Context() || request.TraceParent() != "" || request.TraceID() != "" {
		t.Error("something came of it")
	}
	_, appended := none.Append(ctx, 1)
	_, attempt := none.Attempt(ctx, Attempt{})
	for _, s := range []*Span{request, appended, attempt} {
		s.Took(1, 2, 3)
		s.Answered(200)
		s.End("")
	}
}

// TestAttemptLinks links a send to each request once, up to a bound, and leaves out what is none.
func TestAttemptLinks(t *testing.T) {
	t.Parallel()
	p, spans := recorded()
	parents := []string{"", "rubbish", "00-00000000000000000000000000000000-0000000000000000-01", "00-zz"}
	for i := range 300 {
		parent := fmt.Sprintf("00-%032x-%016x-01", i+1, i+1)
		parents = append(parents, parent, parent)
	}
	_, s := New(p).Attempt(t.Context(), Attempt{Sink: "mail/a", Kind: "Kafka", Messages: len(parents), Parents: parents})
	s.End("throttled")
	got := spans.GetSpans()[0]
	if len(got.Links) != maxLinks || got.Links[1].SpanContext.SpanID().String() != "0000000000000002" || got.Status.Description != "throttled" {
		t.Errorf("%d links, %+v", len(got.Links), got.Status)
	}
	if !strings.Contains(fmt.Sprint(got.Attributes), "kafka") {
		t.Errorf("%v", got.Attributes)
	}
}

// TestWhatIsNotSampled is in no event: nobody could look it up.
func TestWhatIsNotSampled(t *testing.T) {
	t.Parallel()
	p, _ := recorded(sdktrace.WithSampler(sdktrace.NeverSample()))
	_, s := New(p).Request(t.Context(), Request{Method: "POST", Path: "/a"})
	if s.TraceParent() != "" || s.TraceID() != "" {
		t.Errorf("%q %q", s.TraceParent(), s.TraceID())
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route to secret.example.com")
}

// TestTransport tells of the host and the answer, and neither of a path nor of the words of an error; it sends no header of its own.
func TestTransport(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Traceparent") != "" {
			t.Error("a provider is told of our traces")
		}
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(server.Close)
	p, spans := recorded()
	for _, next := range []http.RoundTripper{server.Client().Transport, failing{}} {
		q, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL+"/accounts/secret?key=secret", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := Transport(p, next).RoundTrip(q); err == nil {
			_ = response.Body.Close()
		}
	}
	got := fmt.Sprintf("%+v", spans.GetSpans())
	for _, want := range []string{"429", "127.0.0.1", "unreachable"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(got, "secret") {
		t.Errorf("%s", got)
	}
}
