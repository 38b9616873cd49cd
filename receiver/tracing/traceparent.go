package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// header is the name of the header and of the CloudEvents extension (Distributed Tracing extension, version 1.0).
const header = "traceparent"

// format returns a span context as a traceparent (W3C Trace Context, section 3.2).
func format(c trace.SpanContext) string {
	return "00-" + c.TraceID().String() + "-" + c.SpanID().String() + "-" + c.TraceFlags().String()
}

// links returns a link to each distinct span that is named, up to maxLinks. What is no traceparent is left out.
func links(parents []string) []trace.Link {
	var out []trace.Link
	seen := map[string]bool{"": true}
	for _, parent := range parents {
		if seen[parent] || len(out) == maxLinks {
			continue
		}
		seen[parent] = true
		c := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{header: parent}))
		if c.IsValid() {
			out = append(out, trace.Link{SpanContext: c})
		}
	}
	return out
}
