package customerio_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	simulated "github.com/mailvane/mailvane/internal/simulate/customerio"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/customerio"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func receipt() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := customerio.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t, `{"signingKeys": ["`+secret+`"]}`).Decode(&provider.Request{Body: []byte(body), ReceivedAt: receipt()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// about returns an event about an object with more members of its data.
func about(object, metric, data string) string {
	return `{"event_id": "e", "object_type": "` + object + `", "metric": "` + metric + `", "timestamp": 1767261600, "data": {` + data + `}}`
}

// outcome is what an event says of a message.
func outcome(e event.Event) event.Event {
	return event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	bounced := func(t event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: t, Category: category}}
	}
	of := func(t event.Type) event.Event { return event.Event{Type: t} }
	rejected := func(reason event.RejectReason) event.Event {
		return event.Event{Type: event.Rejected, Reject: event.Reject{Reason: reason}}
	}
	for name, c := range map[string]struct {
		body string
		want event.Event
	}{
		"a bounce, and nothing else":          {about("email", "bounced", ``), bounced(event.Hard, "other")},
		"a bounce with words alone":           {about("email", "bounced", `"failure_message": "no"`), bounced(event.Hard, "other")},
		"no such user":                        {about("email", "bounced", `"failure_message": "550 5.1.1 no"`), bounced(event.Hard, "user_unknown")},
		"a status without a code":             {about("email", "bounced", `"failure_message": "5.1.1 no"`), bounced(event.Hard, "user_unknown")},
		"a policy says nothing of an address": {about("email", "bounced", `"failure_message": "554 5.7.1 no"`), bounced(event.Soft, "policy")},
		"full for too long":                   {about("email", "bounced", `"failure_message": "452 4.2.2 full"`), bounced(event.Soft, "mailbox_full")},
		"dropped":                             {about("email", "dropped", ``), rejected(event.OtherReason)},
		"not deliverable by its own rules":    {about("email", "UNDELIVERABLE", ``), rejected(event.PolicyViolation)},
		"will be tried again":                 {about("Email", "attempted", ``), of(event.Deferred)},
		"drafted is nothing that happened":    {about("email", "drafted", ``), of(event.Unknown)},
		"converted is nothing of a mail":      {about("email", "converted", ``), of(event.Unknown)},
		"a metric that is new":                {about("email", "archived", ``), of(event.Unknown)},
		"a text message":                      {about("sms", "bounced", ``), of(event.Unknown)},
		"no object":                           {`{"metric": "bounced"}`, of(event.Unknown)},
		"a person who wants no more":          {about("customer", "unsubscribed", ``), of(event.Unsubscribed)},
		"a person who does again":             {about("customer", "subscribed", ``), of(event.Resubscribed)},
		"a person who is no mail":             {about("customer", "delivered", ``), of(event.Unknown)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, outcome(decodeOne(t, c.body))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data string
		get  func(*event.Event) any
		want any
	}{
		"the recipient before the person":  {`"recipient": "a@example.com", "identifiers": {"email": "b@example.com"}`, func(e *event.Event) any { return e.Recipient }, "a@example.com"},
		"the person where there is none":   {`"recipient": null, "identifiers": {"email": "b@EXAMPLE.com"}`, func(e *event.Event) any { return e.Recipient }, "b@example.com"},
		"a person without an address":      {`"identifiers": {"id": "42", "email": null}`, func(e *event.Event) any { return e.Recipient }, ""},
		"numbers and texts":                {`"campaign_id": "23", "action_id": 96`, func(e *event.Event) any { return []any{e.Details["campaign_id"], e.Details["action_id"]} }, []any{"23", "96"}},
		"a body, when it is asked for":     {`"body": "<p>hello"`, func(e *event.Event) any { return []any{e.Details["body"], e.Metadata} }, []any{"", map[string]string(nil)}},
		"null for what went wrong":         {`"failure_message": null`, func(e *event.Event) any { return e.Reason }, ""},
		"what a text message is not about": {`"recipient": "+15005550006"`, func(e *event.Event) any { return e.Recipient }, "+15005550006"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, about("email", "sent", c.data))
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``: "expected a JSON object", `[]`: "expected a JSON object", `{}`: "the member metric is missing", `{"metric": null}`: "the member metric is missing",
		`{"metric": "sent", "metric": "bounced"}`: `the member "metric" occurs twice, with different values`, `{"metric": "sent"`: "invalid JSON: ends early, at byte 17",
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
	sent := about("email", "sent", ``)
	if id(sent) != id(strings.Replace(sent, "600", "601", 1)) || id(sent) == id(strings.Replace(sent, `"e"`, `"f"`, 1)) {
		t.Error("the id is not that of the event_id")
	}
	if id(`{"metric": "sent", "timestamp": 1}`) == id(`{"metric": "sent", "timestamp": 2}`) {
		t.Error("without an event_id, two events share an id")
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const at, value = "X-Cio-Timestamp", "X-Cio-Signature"
	for name, c := range map[string]struct {
		change func(h http.Header)
		want   provider.Reason
	}{
		"as it comes":               {func(http.Header) {}, ""},
		"another time":              {func(h http.Header) { h.Set(at, h.Get(at)+"0") }, provider.ReasonMismatch},
		"the time in other words":   {func(h http.Header) { h.Set(at, "+"+h.Get(at)) }, provider.ReasonMismatch},
		"capital letters":           {func(h http.Header) { h.Set(value, strings.ToUpper(h.Get(value))) }, ""},
		"a version before it":       {func(h http.Header) { h.Set(value, "v0="+h.Get(value)) }, provider.ReasonMalformed},
		"63 characters":             {func(h http.Header) { h.Set(value, h.Get(value)[1:]) }, provider.ReasonMalformed},
		"the signature of the body": {func(h http.Header) { h.Set(value, strings.Repeat("0", 64)) }, provider.ReasonMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &provider.Request{Body: []byte(`{}`), ReceivedAt: receipt()}
			if err := simulated.Sign([]byte(`{"signingKeys": ["`+secret+`"]}`), nil, r); err != nil {
				t.Fatal(err)
			}
			c.change(r.Header)
			_, err := webhook(t, `{"signingKeys": ["`+secret+`"]}`).Verify(t.Context(), r)
			refused, _ := errors.AsType[*provider.VerifyError](err)
			if (err != nil) != (c.want != "") || refused != nil && refused.Reason != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestVector verifies a request that another implementation signed.
func TestVector(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "vectors/customerio/*.body.json") {
		stem := strings.TrimSuffix(path, ".body.json")
		r := &provider.Request{Body: []byte(read(t, path)), Header: http.Header{}, ReceivedAt: receipt()}
		for line := range strings.Lines(read(t, stem+".headers.txt")) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			r.Header.Set(name, value)
		}
		w := webhook(t, `{"signingKeys": ["`+read(t, stem+".secret.txt")+`"]}`)
		if _, err := w.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", path, err)
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
	want := map[string]event.Type{
		"attempted": event.Deferred, "bounced": event.Bounced, "clicked": event.Clicked, "converted": event.Unknown, "delivered": event.Delivered, "drafted": event.Unknown,
		"dropped": event.Rejected, "failed": event.Failed, "opened": event.Opened, "sent": event.Sent, "spammed": event.Complained, "undeliverable": event.Rejected,
		"unsubscribed": event.Unsubscribed,
	}
	for _, path := range providertest.Facts(t, "samples/marketing/customerio-email-*.body.json") {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "customerio-email-"), ".body.json")
		if e := decodeOne(t, read(t, path)); e.Type != want[name] || e.Recipient == "" || e.ProviderMessageID == "" || e.ProviderEventID == "" {
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
