package tracing

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Transport returns a transport that makes a span of each request, by the semantic conventions for HTTP clients but for the URL, which may
// hold credentials: of it the host alone is told. It adds no header: what we trace is not the business of the other side.
func Transport(p trace.TracerProvider, next http.RoundTripper) http.RoundTripper {
	return &transport{spans: p.Tracer(scope), next: next}
}

type transport struct {
	spans trace.Tracer
	next  http.RoundTripper
}

// RoundTrip makes a request within a span.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := t.spans.Start(r.Context(), r.Method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Hostname())))
	defer span.End()
	response, err := t.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		span.SetAttributes(attribute.String("error.type", "unreachable"))
		span.SetStatus(codes.Error, "unreachable")
		return nil, err //nolint:wrapcheck // A transport is as its like.
	}
	span.SetAttributes(attribute.Int("http.response.status_code", response.StatusCode))
	if response.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	return response, nil
}
