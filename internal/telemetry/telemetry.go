// Package telemetry sends spans to an OpenTelemetry collector, as the environment says. It is off unless the environment asks for it.
package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/mailvane/mailvane/internal/version"
	"github.com/mailvane/mailvane/receiver/tracing"
)

// quietFor is how long after a failure nothing is said of the next ones.
const quietFor = time.Minute

// stopTimeout bounds how long the last spans are waited for.
const stopTimeout = 3 * time.Second

// Options say who sends spans.
type Options struct {
	// Service is the name of the service; OTEL_SERVICE_NAME has precedence.
	Service string
	// Logger is told once in a while that a collector takes no spans.
	Logger *slog.Logger
	// Getenv reads the environment: os.Getenv. The SDK reads the rest of the OTEL_* variables from the process itself.
	Getenv func(name string) string
}

// Spans sends spans; nil = none are sent.
type Spans struct{ provider *sdktrace.TracerProvider }

// Start begins to send spans if the environment asks for it: with OTEL_TRACES_EXPORTER=otlp, or with an address in
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT. OTEL_SDK_DISABLED=true and OTEL_TRACES_EXPORTER=none turn it off.
// It speaks OTLP over HTTP, and reads the other variables of the specification: samplers, headers, limits, attributes of the resource
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
// It returns nil when it is off. A variable that it cannot follow is logged, and nothing is sent: spans are worth no event.
func Start(ctx context.Context, o Options) *Spans {
	provider, err := start(ctx, &o)
	if err != nil {
		o.Logger.Error("no spans are sent", "error", err)
	}
	if provider == nil {
		return nil
	}
	return &Spans{provider}
}

// start returns nil without an error when it is off.
func start(ctx context.Context, o *Options) (*sdktrace.TracerProvider, error) {
	on, err := asked(o.Getenv)
	if err != nil || !on {
		return nil, err
	}
	otel.SetErrorHandler(&handler{logger: o.Logger, now: time.Now})
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	of, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", o.Service), attribute.String("service.version", version.String())),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(of)), nil
}

// Tracer returns what makes the spans of a receiver; nil = none are made.
func (s *Spans) Tracer() *tracing.Tracer {
	if s == nil {
		return nil
	}
	return tracing.New(s.provider)
}

// Transport returns a transport that makes a span of each request; see [tracing.Transport].
func (s *Spans) Transport(next http.RoundTripper) http.RoundTripper {
	if s == nil {
		return next
	}
	return tracing.Transport(s.provider, next)
}

// Stop sends what is left, for a while, and ends.
func (s *Spans) Stop(ctx context.Context) {
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	_ = s.provider.Shutdown(ctx) // the error handler has said it
}

// asked reports whether the environment asks for spans.
func asked(getenv func(string) string) (bool, error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	address := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") + getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return false, nil
	case "":
		if address == "" {
			return false, nil
		}
	case "otlp":
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: traces go to otlp or none", exporter)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if protocol := getenv(name); protocol != "" {
			if protocol != "http/protobuf" {
				return false, fmt.Errorf("%s is %q: traces are sent by http/protobuf, for which collectors listen on port 4318", name, protocol)
			}
			break
		}
	}
	return true, nil
}

// handler logs what goes wrong with spans, at most once in quietFor: a collector that is away fails again and again.
type handler struct {
	logger *slog.Logger
	now    func() time.Time
	last   atomic.Int64 // when it was said last, in nanoseconds
}

// Handle is told of an error.
func (h *handler) Handle(err error) {
	now, last := h.now().UnixNano(), h.last.Load()
	if now-last < int64(quietFor) || !h.last.CompareAndSwap(last, now) {
		return
	}
	h.logger.Warn("spans could not be sent; events are not affected", "error", err)
}
