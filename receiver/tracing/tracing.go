// Package tracing says what a span of a receiver is: which names and attributes it has, and what leads from a request to the deliveries of
// its events. It knows the API of OpenTelemetry alone; where spans go is the business of package telemetry.
//
// Names follow the semantic conventions for HTTP servers and for messaging. Nothing of a message and nobody's address is in a span.
package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name of the instrumentation scope.
const scope = "github.com/mailvane/mailvane/receiver"

// maxLinks bounds the requests that one delivery is linked to. It is the default of the SDK (OTEL_SPAN_LINK_COUNT_LIMIT).
const maxLinks = 128

// Tracer makes spans. A nil Tracer makes none, and costs nothing.
type Tracer struct{ spans trace.Tracer }

// New returns a Tracer whose spans go to a provider.
func New(p trace.TracerProvider) *Tracer { return &Tracer{spans: p.Tracer(scope)} }

// Request says what a request is for.
type Request struct {
	// Endpoint is the "namespace/name" of the endpoint, and Path its path, without the token that may follow it.
	Endpoint, Path string
	// Method is the HTTP method.
	Method string
	// At is when the request began.
	At time.Time
}

// Request begins the span of a webhook request. It is the root of a trace: a traceparent in the request is a stranger's.
func (t *Tracer) Request(ctx context.Context, r Request) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, span := t.spans.Start(ctx, r.Method+" "+r.Path, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(r.At), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("http.route", r.Path), attribute.String("mailvane.endpoint", r.Endpoint),
	))
	return ctx, &Span{span: span}
}

// Append begins the span of storing what a request brought.
func (t *Tracer) Append(ctx context.Context, events int) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, span := t.spans.Start(ctx, "append", trace.WithAttributes(attribute.Int("mailvane.events", events)))
	return ctx, &Span{span: span}
}

// Attempt says what a send is of.
type Attempt struct {
	// Sink is the "namespace/name" of the sink, and Kind its type, such as "Kafka".
	Sink, Kind string
	// Messages counts the events, and Parents are the values of their traceparent attributes; those that are none are left out.
	Messages int
	Parents  []string
}

// Attempt begins the span of one try to send events to a sink. It has a trace of its own, with a link to each request that brought one of
// them: events of many requests are sent together (semantic conventions for messaging, "Batch sending").
func (t *Tracer) Attempt(ctx context.Context, a Attempt) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, span := t.spans.Start(ctx, "send "+a.Sink, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindClient), trace.WithLinks(links(a.Parents)...), trace.WithAttributes(
		attribute.String("messaging.system", system(a.Kind)), attribute.String("messaging.operation.name", "send"), attribute.String("messaging.operation.type", "send"),
		attribute.String("messaging.destination.name", a.Sink), attribute.Int("messaging.batch.message_count", a.Messages),
	))
	return ctx, &Span{span: span}
}

// Span is a span that has begun. A nil Span takes everything and does nothing.
type Span struct{ span trace.Span }

// TraceParent returns the W3C traceparent of the span, where it is recorded; "" = it is not.
func (s *Span) TraceParent() string {
	if s == nil || !s.span.IsRecording() {
		return ""
	}
	return format(s.span.SpanContext())
}

// TraceID returns the id of the span's trace in hex, where it is sampled; "" = it is not.
func (s *Span) TraceID() string {
	if s == nil || !s.span.SpanContext().IsSampled() {
		return ""
	}
	return s.span.SpanContext().TraceID().String()
}

// Answered ends the span of a request with what it was answered.
func (s *Span) Answered(status int) {
	if s == nil {
		return
	}
	s.span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= 500 {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// Took notes what became of the events of a request.
func (s *Span) Took(accepted, duplicates, deadLettered int) {
	if s == nil {
		return
	}
	s.span.SetAttributes(attribute.Int("mailvane.events.accepted", accepted), attribute.Int("mailvane.events.duplicates", duplicates), attribute.Int("mailvane.events.dead_lettered", deadLettered))
}

// End ends the span. A failure is a word of a small set; what an error says may be of somebody's mail. Empty = it went well.
func (s *Span) End(failure string) {
	if s == nil {
		return
	}
	if failure != "" {
		s.span.SetAttributes(attribute.String("error.type", failure))
		s.span.SetStatus(codes.Error, failure)
	}
	s.span.End()
}

// system returns the name that the semantic conventions have for a messaging system, else the type of the sink.
func system(kind string) string {
	names := map[string]string{
		"Kafka": "kafka", "RabbitMQ": "rabbitmq", "NATS": "nats", "SQS": "aws_sqs", "SNS": "aws.sns", "PubSub": "gcp_pubsub", "HTTP": "http",
	}
	if name, ok := names[kind]; ok {
		return name
	}
	return kind
}
