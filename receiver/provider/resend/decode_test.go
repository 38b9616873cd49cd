package resend_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/resend"
)

// factsVariable names a folder with samples and vectors of providers. It is not part of the repository.
const factsVariable = "MAILVANE_PROVIDER_FACTS"

func received() time.Time { return time.Unix(1771976461, 0).UTC() }

func webhook(t testing.TB) provider.Webhook {
	t.Helper()
	w, err := resend.Kind().New([]byte(`{"signingSecrets": ["`+secret+`"]}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t).Decode(&provider.Request{Header: http.Header{"Svix-Id": {"msg_1"}}, Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// TestBounces has what is called a bounce, by the types and subtypes of Amazon SES and by the texts of older payloads.
func TestBounces(t *testing.T) {
	t.Parallel()
	bounced := func(typ event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: typ, Category: category}}
	}
	rejected := func(reason event.RejectReason) event.Event {
		return event.Event{Type: event.Rejected, Reject: event.Reject{Reason: reason}}
	}
	for name, c := range map[string]struct {
		bounce string
		want   event.Event
	}{
		"no such mailbox":             {`{"type":"Permanent","subType":"NoEmail"}`, bounced(event.Hard, event.CategoryUserUnknown)},
		"permanent":                   {`{"type":"Permanent","subType":"General"}`, bounced(event.Hard, "")},
		"in capitals":                 {`{"type":"PERMANENT","subType":"MAILBOXFULL"}`, bounced(event.Hard, event.CategoryMailboxFull)},
		"transient":                   {`{"type":"Transient","subType":"General"}`, bounced(event.Soft, "")},
		"a full mailbox":              {`{"type":"Transient","subType":"MailboxFull"}`, bounced(event.Soft, event.CategoryMailboxFull)},
		"too large":                   {`{"type":"Transient","subType":"MessageTooLarge"}`, bounced(event.Soft, event.CategoryContent)},
		"its content":                 {`{"type":"Transient","subType":"ContentRejected"}`, bounced(event.Soft, event.CategoryContent)},
		"an attachment":               {`{"type":"Transient","subType":"AttachmentRejected"}`, bounced(event.Soft, event.CategoryContent)},
		"undetermined":                {`{"type":"Undetermined","subType":"Undetermined"}`, bounced(event.Undetermined, "")},
		"a type of the future":        {`{"type":"Later","subType":"Other"}`, bounced(event.Undetermined, "")},
		"suppressed":                  {`{"type":"Permanent","subType":"Suppressed"}`, rejected(event.SuppressedBounce)},
		"suppressed by the account":   {`{"type":"Permanent","subType":"OnAccountSuppressionList"}`, rejected(event.SuppressedBounce)},
		"unsubscribed":                {`{"type":"Permanent","subType":"UnsubscribedRecipient"}`, rejected(event.UnsubscribedAddress)},
		"old: suppressed":             {`{"message":"Resend has suppressed sending to this address because it has a recent history of bouncing."}`, rejected(event.SuppressedBounce)},
		"old: hard":                   {`{"message":"The recipient's email provider sent a hard bounce message, but didn't specify the reason."}`, bounced(event.Hard, "")},
		"old: anything":               {`{"message":"The recipient's email provider sent a general bounce message."}`, bounced(event.Undetermined, "")},
		"a new one with an old text":  {`{"type":"Transient","message":"This is no hard bounce message."}`, bounced(event.Soft, "")},
		"nothing of the bounce":       {`{}`, bounced(event.Undetermined, "")},
		"a bounce that is no object":  {`"bounced"`, bounced(event.Undetermined, "")},
		"a type that is a number":     {`{"type":5}`, bounced(event.Undetermined, "")},
		"suppressed, in other words":  {`{"type":"Transient","message":"We have suppressed sending for an hour."}`, bounced(event.Soft, "")},
		"a subtype with another type": {`{"type":"Undetermined","subType":"NoEmail"}`, bounced(event.Undetermined, event.CategoryUserUnknown)},
	} {
		e := decodeOne(t, `{"type":"email.bounced","created_at":"2026-02-22T23:41:12.126Z","data":{"bounce":`+c.bounce+`}}`)
		if diff := cmp.Diff(c.want, event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	of := func(typ, data string) string {
		return `{"type":"` + typ + `","created_at":"2026-02-22T23:41:12.126Z","data":{` + data + `}}`
	}
	for name, c := range map[string]struct {
		reason, body string
		got          func(event.Event) any
		want         any
	}{
		"tags, an object":            {"newer payloads", of("email.sent", `"tags":{"a":"1","b":"2"}`), func(e event.Event) any { return e.Metadata }, map[string]string{"a": "1", "b": "2"}},
		"tags, a list":               {"older payloads", of("email.sent", `"tags":[{"name":"a","value":"1"},{"name":"b","value":"2"},"c",null]`), func(e event.Event) any { return e.Metadata }, map[string]string{"a": "1", "b": "2"}},
		"tags, a text":               {"not documented; raw has it", of("email.sent", `"tags":"a"`), func(e event.Event) any { return e.Metadata }, map[string]string(nil)},
		"headers of the sender":      {"older payloads", of("email.sent", `"headers":[{"name":"x-order","value":"1"},{"name":"Reply-To","value":"a@example.com"}]`), func(e event.Event) any { return e.Metadata }, map[string]string{"x-order": "1"}},
		"to, with a display name":    {"documented", of("email.sent", `"to":["Recipient <r@Example.com>"]`), func(e event.Event) any { return e.Recipient }, "r@example.com"},
		"to, several":                {"nobody says which", of("email.sent", `"to":["a@example.com","b@example.com"]`), func(e event.Event) any { return e.Recipient }, ""},
		"to one, and a copy":         {"it may be about the copy", of("email.sent", `"to":["a@example.com"],"bcc":["b@example.com"]`), func(e event.Event) any { return []any{e.Recipient, len(e.Recipients)} }, []any{"", 2}},
		"to, no list":                {"not documented", of("email.sent", `"to":"a@example.com"`), func(e event.Event) any { return e.Recipient }, "a@example.com"},
		"no message_id":              {"older payloads", of("email.sent", `"email_id":"e"`), func(e event.Event) any { return []any{e.MessageID, e.ProviderMessageID} }, []any{"", "e"}},
		"no data":                    {"a future form", `{"type":"email.sent","created_at":"2026-02-22T23:41:12.126Z"}`, func(e event.Event) any { return e.Type }, event.Sent},
		"data null":                  {"a future form", `{"type":"email.sent","data":null}`, func(e event.Event) any { return []any{e.Type, e.TimeImplausible} }, []any{event.Sent, true}},
		"the mail's time":            {"that of the event is beside data", of("email.sent", `"created_at":"2026-01-01T00:00:00.000000+00:00"`), func(e event.Event) any { return e.Time.Month() }, time.February},
		"the time of a click":        {"the report is later", of("email.clicked", `"click":{"timestamp":"2026-02-22T23:40:00Z"}`), func(e event.Event) any { return e.Time.Minute() }, 40},
		"a click without a time":     {"the report's counts", of("email.clicked", `"click":{"timestamp":"soon"}`), func(e event.Event) any { return e.Time.Minute() }, 41},
		"a contact that left":        {"it says so whatever has changed", of("contact.updated", `"unsubscribed":true`), func(e event.Event) any { return []any{e.Type, e.Details["unsubscribed"]} }, []any{event.Unknown, "true"}},
		"a name of the future":       {"it flows", of("email.forwarded", `"to":["a@example.com"]`), func(e event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Unknown, "email.forwarded"}},
		"received for one of many":   {"the envelope says who", of("email.received", `"to":["a@example.com","b@example.com"],"received_for":["b@example.com"]`), func(e event.Event) any { return e.Recipient }, "b@example.com"},
		"received for nobody":        {"older payloads", of("email.received", `"to":["a@example.com","b@example.com"]`), func(e event.Event) any { return []any{e.Recipient, e.Mail.Envelope.To} }, []any{"", []string(nil)}},
		"attachments, an object":     {"not documented", of("email.received", `"attachments":{"id":"1"}`), func(e event.Event) any { return len(e.Mail.Attachments) }, 1},
		"a thousand attachments":     {"an event holds 100", of("email.received", `"attachments":[`+strings.Repeat(`{"id":"1"},`, 999)+`{}]`), func(e event.Event) any { return []any{len(e.Mail.Attachments), e.Truncated} }, []any{event.MaxAttachments, true}},
		"suppressed for a complaint": {"the list says why, not the event", of("suppression.added", `"email":"a@example.com","origin":"complaint","source_id":null`), func(e event.Event) any { return []any{e.Recipient, e.Details} }, []any{"a@example.com", map[string]string{"origin": "complaint"}}},
	} {
		if diff := cmp.Diff(c.want, c.got(decodeOne(t, c.body))); diff != "" {
			t.Errorf("%s: %s: -want +got:\n%s", name, c.reason, diff)
		}
	}
}

func TestBodiesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a list": `[{"type":"email.sent"}]`, "no type": `{"data":{}}`, "a sentence": "hello", "nothing": "", "cut off": `{"type":"email.sent"`,
		"two types": `{"type":"email.sent","type":"email.bounced"}`, "two bounces": `{"type":"email.bounced","data":{"bounce":{"type":"Permanent"},"bounce":{"type":"Transient"}}}`,
	} {
		if b := decode(t, body); len(b.Events) != 0 || len(b.Undecodable) != 1 {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

// TestRetries has the same message with a new time and signature, as each attempt has them, and another message with the same body.
func TestRetries(t *testing.T) {
	t.Parallel()
	body := []byte(`{"type":"email.opened","created_at":"2026-02-22T23:41:12.126Z","data":{"email_id":"e"}}`)
	id := func(header http.Header) string {
		b := webhook(t).Decode(&provider.Request{Header: header, Body: body, ReceivedAt: received()})
		return b.Events[0].ID
	}
	first := id(http.Header{"Svix-Id": {"msg_1"}, "Svix-Timestamp": {"1771976460"}})
	if again := id(http.Header{"Svix-Id": {"msg_1"}, "Svix-Timestamp": {"1771976465"}}); again != first {
		t.Errorf("a retry is %s, before %s", again, first)
	}
	if standard := id(http.Header{"Webhook-Id": {"msg_1"}}); standard != first {
		t.Errorf("under the names of the specification it is %s", standard)
	}
	if second := id(http.Header{"Svix-Id": {"msg_2"}}); second == first {
		t.Error("two opens of one second are one event")
	}
	if none := id(nil); none == "" || none == first {
		t.Errorf("without headers the id is %q", none)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for what, settings := range map[string]string{
		"nothing": `{}`, "no secrets": `{"signingSecrets": []}`, "an empty secret": `{"signingSecrets": ["whsec_"]}`,
		"a negative tolerance": `{"signingSecrets": ["` + secret + `"], "toleranceSeconds": -1}`, "a public key": `{"publicKeys": ["whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="]}`,
	} {
		if _, err := resend.Kind().New([]byte(settings), provider.Environment{}); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

// TestDocumentedBodies decodes the bodies of the provider's pages.
func TestDocumentedBodies(t *testing.T) {
	t.Parallel()
	facts := os.Getenv(factsVariable)
	if facts == "" {
		t.Skipf("set %s to a folder of samples and vectors", factsVariable)
	}
	bodies, err := filepath.Glob(filepath.Join(facts, "samples/resend/*.body.json"))
	if err != nil || len(bodies) == 0 {
		t.Fatalf("%d bodies: %v", len(bodies), err)
	}
	for _, path := range bodies {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		e := decodeOne(t, string(body))
		name, _, _ := strings.Cut(filepath.Base(path), ".body")
		if e.ProviderEvent != name || (e.Type == event.Unknown) != strings.HasPrefix(name, "domain.") {
			t.Errorf("%s is %s, %s", name, e.ProviderEvent, e.Type)
		}
	}
}
