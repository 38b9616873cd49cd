package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/suppressionsink"
	"github.com/mailvane/mailvane/test/redis"
)

const suppressionManifest = `apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {namespace: mail, name: list}
spec:
  type: Suppression
  suppression:
    redis: {addresses: [%q], tlsMode: Disable, passwordRef: {name: redis, key: password}}
---
apiVersion: v1
kind: Secret
metadata: {namespace: mail, name: redis}
stringData: {password: s3cret-8d1f}
`

// TestSuppression asks a list that a sink keeps in a real server, changes it as a person, and has the sink's next event count.
func TestSuppression(t *testing.T) {
	t.Parallel()
	server, err := redis.Start(t.Context(), t.TempDir(), "requirepass s3cret-8d1f\n")
	if errors.Is(err, redis.ErrMissing) && os.Getenv("MAILVANE_REQUIRE_SERVERS") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Kill() })
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "list.yaml"), fmt.Appendf(nil, suppressionManifest, server.Address), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := suppressionsink.Kind().New(fmt.Appendf(nil, `{"redis":{"addresses":[%q],"tlsMode":"Disable","password":"s3cret-8d1f"}}`, server.Address), sink.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = list.Close() })
	send := func(id string, e event.Event) {
		t.Helper()
		e.ID = id
		encoded, err := event.Encode(&e, "/mailvane/mail/in")
		if err != nil {
			t.Fatal(err)
		}
		if err := list.Send(t.Context(), sink.NewBatch([]sink.Message{{ID: id, Envelope: encoded}})); err != nil {
			t.Fatal(err)
		}
	}
	send("1", event.Event{Type: event.Complained, Provider: "AmazonSES", Recipient: "Ada@example.com", Reason: "=cmd|' /C calc'!A0"})
	send("2", event.Event{Type: event.Unsubscribed, Provider: "Postmark", Recipient: "bob@example.com", Details: map[string]string{"MessageStream": "news"}})
	for _, step := range []struct {
		line   string
		status int
		say    []string
		not    string
	}{
		{"check ada@example.com", 3, []string{"complaint", "AmazonSES"}, ""},
		{"check ADA@example.com -o json", 3, []string{`"class": "complaint"`, `"inForce": true`}, ""},
		{"check bob@example.com", 0, []string{"not suppressed"}, ""},
		{"check bob@example.com --scope postmark:news", 3, []string{"unsubscribe"}, ""},
		{"check nobody@example.com -o json", 0, []string{"[]"}, ""},
		{"list", 0, []string{"ada@example.com", "postmark:news"}, ""},
		{"list --limit 1", 0, []string{"There may be more than 1"}, ""},
		{"list --class complaint", 0, []string{"ada@example.com"}, "bob@example.com"},
		{"export", 0, []string{"address,scope,class,last_at,provider,reason", "'=cmd"}, ",=cmd"},
		{"export -o jsonl", 0, []string{`"address":"bob@example.com"`}, ""},
		{"add Eve@Example.com --reason ticket-17", 0, []string{"suppressed: eve@example.com (manual, *)"}, ""},
		{"check eve@example.com", 3, []string{"manual", "ticket-17"}, ""},
		{"release nobody@example.com --reason x", 1, []string{"nothing was in force"}, ""},
		{"release ada@example.com --class bounce --reason x", 1, []string{"nothing was in force"}, ""},
		{"release ada@example.com --reason ticket-18", 0, []string{"released: ada@example.com (complaint, *)"}, ""},
		{"check ada@example.com", 0, []string{"not suppressed"}, ""},
		{"list --released --class complaint", 0, []string{"ada@example.com", "no"}, ""},
		{"check a@example.com --sink other", 1, []string{"has no Suppression sink other"}, ""},
	} {
		status, out := run(append([]string{"suppression"}, append(strings.Fields(step.line), "-f", folder)...)...)
		for _, want := range step.say {
			if status != step.status || !strings.Contains(out, want) {
				t.Errorf("%s: status %d, %q; want %d and %q", step.line, status, out, step.status, want)
			}
		}
		if step.not != "" && strings.Contains(out, step.not) || strings.Contains(out, "s3cret") {
			t.Errorf("%s: %s", step.line, out)
		}
	}
}
