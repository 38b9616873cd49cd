package telemetry

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAsked is off unless somebody asks, and says which variable it cannot follow.
func TestAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		environment string
		on          bool
		problem     string
	}{
		{"", false, ""},
		{"OTEL_SERVICE_NAME=a OTEL_TRACES_SAMPLER=always_on", false, ""},
		{"OTEL_TRACES_EXPORTER=otlp", true, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://a", true, ""},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://a", true, ""},
		{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://a", false, ""},
		{"OTEL_TRACES_EXPORTER=none OTEL_EXPORTER_OTLP_ENDPOINT=http://a", false, ""},
		{"OTEL_SDK_DISABLED=TRUE OTEL_TRACES_EXPORTER=otlp", false, ""},
		{"OTEL_TRACES_EXPORTER=zipkin", false, "OTEL_TRACES_EXPORTER"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://a:4317 OTEL_EXPORTER_OTLP_PROTOCOL=grpc", false, "4318"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf", true, ""},
	} {
		on, err := asked(func(name string) string {
			for variable := range strings.FieldsSeq(c.environment) {
				if value, ok := strings.CutPrefix(variable, name+"="); ok {
					return value
				}
			}
			return ""
		})
		if on != c.on || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %t, %v", c.environment, on, err)
		}
	}
}

// TestNoSpans makes everything a no-op that is off.
func TestNoSpans(t *testing.T) {
	t.Parallel()
	s := Start(t.Context(), Options{Getenv: func(string) string { return "" }, Logger: slog.New(slog.DiscardHandler)})
	if s != nil || s.Tracer() != nil || s.Transport(http.DefaultTransport) != http.DefaultTransport {
		t.Error("something is on")
	}
	s.Stop(t.Context())
}

// TestEnvironment tells receivers nothing that is the manager's own, or that may be secret.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	got := Environment([]string{
		"PATH=/bin", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318", "OTEL_TRACES_SAMPLER_ARG=0.1", "OTEL_EXPORTER_OTLP_HEADERS=api-key=secret",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS=a=b", "OTEL_EXPORTER_OTLP_CERTIFICATE=/ca.pem", "OTEL_EXPORTER_OTLP_CLIENT_KEY=/key.pem",
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=/c.pem", "OTEL_SERVICE_NAME=manager", "OTEL_RESOURCE_ATTRIBUTES=k8s.pod.name=manager-0", "OTEL_EMPTY=",
	})
	want := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_SAMPLER_ARG": "0.1", "OTEL_EMPTY": ""}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestFailuresAreSaidOnceInAWhile logs a collector that is away once a minute.
func TestFailuresAreSaidOnceInAWhile(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	now := time.Unix(1_800_000_000, 0)
	h := &handler{logger: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return now }}
	for range 10 {
		h.Handle(errors.New("away"))
		now = now.Add(10 * time.Second)
	}
	if n := strings.Count(log.String(), "away"); n != 2 {
		t.Errorf("said %d times in 100 s", n)
	}
}
