package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/test/otelcol"
)

const tracedManifest = `apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {namespace: mail, name: postmark}
spec:
  provider: {type: Postmark, postmark: {}}
  path: /hooks/postmark
  authentication: {pathToken: {secretRefs: [{name: token, key: token}]}}
  routes: [{name: all, sinkRef: {name: out}}]
---
apiVersion: v1
kind: Secret
metadata: {namespace: mail, name: token}
stringData: {token: a-token-that-nobody-may-see}
---
apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {namespace: mail, name: out}
spec: {type: Stdout, stdout: {}}
`

const opened = `{"RecordType":"Open","MessageID":"b7bc2f4a-e38e-4336-af7d-e6c392c2f817","Recipient":"ada@example.com","FirstOpen":true,"ReceivedAt":"2026-01-02T03:04:05Z"}`

// span is one that a collector tells of.
type span struct {
	trace, id, parent, name, kind, text string
}

// spansIn reads what a collector says.
func spansIn(text string) (all []span) {
	field := func(block, name string) string {
		m := regexp.MustCompile(`(?m)^\s*` + name + `\s*: (.*)$`).FindStringSubmatch(block)
		if m == nil {
			return ""
		}
		return m[1]
	}
	for _, block := range regexp.MustCompile(`(?m)^Span #\d+$`).Split(text, -1)[1:] {
		all = append(all, span{field(block, "Trace ID"), field(block, "ID"), field(block, "Parent ID"), field(block, "Name"), field(block, "Kind"), block})
	}
	return all
}

func named(t *testing.T, all []span, name string) span {
	t.Helper()
	for _, s := range all {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no span %q in %+v", name, all)
	return span{}
}

// TestTraces follows one event from its request to its sink at a collector: a trace of the request, which a stranger does not choose, and
// another of the delivery, linked to it. Nothing personal and no credential is in any of it.
func TestTraces(t *testing.T) {
	t.Parallel()
	collector, err := otelcol.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(collector.Stop)
	folder := t.TempDir()
	write(t, folder, "all.yaml", tracedManifest)
	p := startIn(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + collector.Address, "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test"}, folder, t.TempDir())
	const stranger = "0af7651916cd43dd8448eb211c80319c"
	post := func(token string) int {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/hooks/postmark/"+token, strings.NewReader(opened))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Traceparent", "00-"+stranger+"-b7ad6b7169203331-01")
		response, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	if status := post("a-token-that-nobody-may-see"); status != http.StatusOK {
		t.Fatalf("%d\n%s", status, p.log())
	}
	post("a-guess")
	eventually(t, "the event arrives", func() bool { return strings.Contains(p.printed(), "email.opened") })
	checkExemplar(t, p)
	parent := regexp.MustCompile(`"traceparent":"00-([0-9a-f]{32})-([0-9a-f]{16})-01"`).FindStringSubmatch(p.printed())
	if parent == nil || parent[1] == stranger {
		t.Fatalf("%v in %s", parent, p.printed())
	}
	p.stop()
	text, err := collector.Taken()
	if err != nil {
		t.Fatal(err)
	}
	all := spansIn(text)
	request := named(t, all, "POST /hooks/postmark")
	for _, s := range all {
		if s.id == parent[2] {
			request = s
		}
	}
	if request.trace != parent[1] || request.parent != "" || request.kind != "Server" || !strings.Contains(request.text, "http.response.status_code: Int(200)") {
		t.Errorf("%+v", request)
	}
	if stored := named(t, all, "append"); stored.trace != parent[1] || stored.parent != request.id {
		t.Errorf("%+v", stored)
	}
	if sent := named(t, all, "send mail/out"); sent.trace == parent[1] || sent.kind != "Client" || !strings.Contains(sent.text, "messaging.batch.message_count: Int(1)") ||
		!strings.Contains(sent.text[strings.Index(sent.text, "Links:"):], parent[1]) {
		t.Errorf("%+v", sent)
	}
	for _, want := range []string{"Int(401)", "service.name: Str(mailvane)", "deployment.environment.name: Str(test)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, secret := range []string{"example.com", "a-token", "a-guess", stranger, "b7bc2f4a"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in a span", secret)
		}
	}
}

// checkExemplar asks as Prometheus does, which gets exemplars in this format alone.
func checkExemplar(t *testing.T, p *process) {
	t.Helper()
	text := get(t, p.metrics+"/metrics", "application/openmetrics-text; version=1.0.0")
	if !regexp.MustCompile(`mailvane_request_duration_seconds_bucket\S* \d+ # \{trace_id="[0-9a-f]{32}"\}`).MatchString(text) {
		t.Error("no request has an exemplar")
	}
}

// TestATraceThatGoesNowhere loses no event and says so, once.
func TestATraceThatGoesNowhere(t *testing.T) {
	t.Parallel()
	for _, environment := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_TRACES_EXPORTER=zipkin"} {
		folder := t.TempDir()
		write(t, folder, "all.yaml", tracedManifest)
		p := startIn(t, []string{environment, "OTEL_BSP_SCHEDULE_DELAY=10", "OTEL_EXPORTER_OTLP_TIMEOUT=100"}, folder, t.TempDir())
		response, err := http.Post(p.url+"/hooks/postmark/a-token-that-nobody-may-see", "application/json", strings.NewReader(opened)) //nolint:noctx // It is short.
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatal(response, err)
		}
		_ = response.Body.Close()
		eventually(t, "the event arrives", func() bool { return strings.Contains(p.printed(), "email.opened") })
		eventually(t, "somebody is told", func() bool { return strings.Contains(p.log(), "span") })
		p.stop()
		if strings.Count(p.log(), "span") != 1 {
			t.Errorf("%s", p.log())
		}
	}
}

// get returns the answer to a GET for a media type.
func get(t *testing.T, url, accept string) string {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
