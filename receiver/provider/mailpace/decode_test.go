package mailpace_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailpace"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func receipt() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func webhook(t testing.TB, keys ...string) provider.Webhook {
	t.Helper()
	w, err := mailpace.Kind().New([]byte(`{"publicKeys": ["`+strings.Join(keys, `", "`)+`"]}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t, samplesKey).Decode(&provider.Request{Body: []byte(body), ReceivedAt: receipt()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

func named(name, payload string) string {
	return `{"event": "` + name + `", "payload": {` + payload + `}}`
}

func TestOddities(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"a bounce is final":                 {named("email.bounced", ``), func(e *event.Event) any { return []any{e.Type, e.Bounce.Type} }, []any{event.Bounced, event.Hard}},
		"spam is what MailPace stopped":     {named("email.spam", ``), func(e *event.Event) any { return []any{e.Type, e.Reject.Reason} }, []any{event.Rejected, event.PolicyViolation}},
		"a name in capitals":                {named("EMAIL.QUEUED", ``), func(e *event.Event) any { return e.Type }, event.Accepted},
		"a name that is new":                {named("email.clicked", ``), func(e *event.Event) any { return e.Type }, event.Unknown},
		"one recipient":                     {named("email.bounced", `"to": "a@EXAMPLE.com"`), func(e *event.Event) any { return e.Recipient }, "a@example.com"},
		"several, of whom one bounced":      {named("email.bounced", `"to": "a@example.com, b@example.com"`), func(e *event.Event) any { return []any{e.Recipient, e.Recipients} }, []any{"", []string{"a@example.com", "b@example.com"}}},
		"a copy is a recipient as well":     {named("email.bounced", `"to": "a@example.com", "bcc": "b@example.com"`), func(e *event.Event) any { return []any{e.Recipient, len(e.Recipients)} }, []any{"", 2}},
		"one, named twice":                  {named("email.bounced", `"to": "a@example.com", "cc": "A <a@example.com>"`), func(e *event.Event) any { return e.Recipient }, "a@example.com"},
		"none":                              {named("email.bounced", `"to": null, "cc": null, "bcc": ""`), func(e *event.Event) any { return []any{e.Recipient, len(e.Recipients)} }, []any{"", 0}},
		"the time of the change":            {named("email.queued", `"created_at": "2026-01-01T09:00:00Z", "updated_at": "2026-01-01T10:00:00Z"`), func(e *event.Event) any { return e.Time }, at},
		"the time when nothing has changed": {named("email.queued", `"created_at": "2026-01-01T10:00:00Z", "updated_at": null`), func(e *event.Event) any { return e.Time }, at},
		"no time":                           {named("email.queued", ``), func(e *event.Event) any { return e.TimeImplausible }, true},
		"the id in brackets":                {named("email.queued", `"message_id": "<a@b>", "id": 9007199254740993`), func(e *event.Event) any { return []any{e.MessageID, e.ProviderMessageID} }, []any{"a@b", "9007199254740993"}},
		"bodies stay where they are":        {named("email.queued", `"htmlbody": "<p>hello", "textbody": "hello"`), func(e *event.Event) any { return []any{e.Details, e.Mail} }, []any{map[string]string(nil), (*event.Mail)(nil)}},
		"no payload":                        {`{"event": "email.queued", "payload": null}`, func(e *event.Event) any { return e.Type }, event.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, c.body)
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``: "expected a JSON object", `[]`: "expected a JSON object", `{}`: "the member event is missing", `{"event": null}`: "the member event is missing",
		// The sample on MailPace's page has times without quotes.
		`{"event": "email.queued", "payload": {"created_at": 2021-11-16T14:50:15.445Z}}`: "invalid JSON: syntax error at byte 56 (expecting ',' or '}')",
		`{"event": "email.queued", "event": "email.spam"}`:                               `the member "event" occurs twice, with different values`,
	} {
		b := decode(t, body)
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || b.Undecodable[0].Reason != want {
			t.Errorf("%s: %+v, want %q", body, b, want)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	id := func(body string) string { return decodeOne(t, body).ID }
	deferred := named("email.deferred", `"id": 1, "updated_at": "2026-01-01T10:00:00Z"`)
	for _, other := range []string{strings.Replace(deferred, "deferred", "bounced", 1), strings.Replace(deferred, ": 1", ": 2", 1), strings.Replace(deferred, "10:00:00", "10:00:01", 1)} {
		if id(deferred) == id(other) {
			t.Errorf("two events share an id: %s", other)
		}
	}
	if id(deferred) != id(strings.ReplaceAll(deferred, ": ", ":")) {
		t.Error("one event in other bytes has two ids")
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	const wrong = "not an Ed25519 public key in base64 SubjectPublicKeyInfo, PEM or base64 of 32 bytes"
	for settings, want := range map[string]string{
		`{"publicKeys": ["` + samplesKey + `\n"]}`: "", `{"publicKeys": ["MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="]}`: "",
		`{}`: "publicKeys: must hold at least one key", `{"publicKeys": [""]}`: "publicKeys[0]: " + wrong, `{"publicKeys": ["` + samplesKey + `", "AAAA"]}`: "publicKeys[1]: " + wrong,
	} {
		_, err := mailpace.Kind().New([]byte(settings), provider.Environment{})
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != "mailpace: "+want {
			t.Errorf("%s: %v, want %q", settings, err, want)
		}
	}
}

// TestVector verifies a request that another implementation signed, with the second of two keys.
func TestVector(t *testing.T) {
	t.Parallel()
	_, other := keyOf(t, 100)
	for _, path := range providertest.Facts(t, "vectors/mailpace/*.body.json") {
		stem := strings.TrimSuffix(path, ".body.json")
		_, value, _ := strings.Cut(read(t, stem+".headers.txt"), "X-MailPace-Signature: ")
		r := &provider.Request{Body: []byte(read(t, path)), Header: http.Header{"X-Mailpace-Signature": {value}}, ReceivedAt: receipt()}
		w := webhook(t, other, read(t, stem+".publickey.txt"))
		if proof, err := w.Verify(t.Context(), r); err != nil || proof.Key != "1" {
			t.Errorf("%s: %+v, %v", path, proof, err)
		}
		for i := range r.Body {
			r.Body[i] ^= 1
			if _, err := w.Verify(t.Context(), r); err == nil {
				t.Errorf("%s: with another byte %d it passes", path, i)
			}
			r.Body[i] ^= 1
		}
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{"bounced": event.Bounced, "deferred": event.Deferred, "delivered": event.Delivered, "queued": event.Accepted, "spam": event.Rejected}
	for _, path := range providertest.Facts(t, "samples/marketing/mailpace-email.*.body.json") {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "mailpace-email."), ".body.json")
		if e := decodeOne(t, read(t, path)); e.Type != want[name] || len(e.Recipients) != 2 || e.MessageID == "" || e.ProviderMessageID == "" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// read returns a file without a line break at its end.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(text), "\r\n")
}
