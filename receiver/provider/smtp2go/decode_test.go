package smtp2go_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/smtp2go"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func webhook(t testing.TB) provider.Webhook {
	t.Helper()
	w, err := smtp2go.Kind().New([]byte(`{}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t).Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func one(t testing.TB, b provider.Batch) event.Event {
	t.Helper()
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// item returns an event of a name with more members.
func item(name, rest string) string {
	return `{"event": "` + name + `", "time": "2026-01-01T10:00:00Z", "rcpt": "a@example.com", "email_id": "e1"` + rest + `}`
}

// outcome is what an event says of a message.
func outcome(e event.Event) event.Event {
	return event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
}

// TestOutcomes has every event.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	only := func(is event.Type) event.Event { return event.Event{Type: is} }
	bounced := func(t event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: t, Category: category}}
	}
	rejected := func(reason event.RejectReason) event.Event {
		return event.Event{Type: event.Rejected, Reject: event.Reject{Reason: reason}}
	}
	for name, c := range map[string]struct {
		body string
		want event.Event
	}{
		"taken":                         {item("processed", ``), only(event.Accepted)},
		"delivered":                     {item("delivered", `, "message": "250 OK"`), only(event.Delivered)},
		"a hard bounce":                 {item("bounce", `, "bounce": "hard", "message": "550 5.1.1 unknown"`), bounced(event.Hard, "user_unknown")},
		"a soft bounce":                 {item("bounce", `, "bounce": "soft", "message": "452 4.2.2 full"`), bounced(event.Soft, "mailbox_full")},
		"a soft bounce with a 5":        {item("bounce", `, "bounce": "soft", "message": "550 5.7.1 policy"`), bounced(event.Soft, "policy")},
		"a hard bounce with a 4":        {item("bounce", `, "bounce": "hard", "message": "450 no"`), bounced(event.Hard, "other")},
		"a kind in capitals":            {item("bounce", `, "bounce": "Hard"`), bounced(event.Hard, "other")},
		"no kind, and a server's word":  {item("bounce", `, "message": "550 5.1.1 unknown"`), bounced(event.Hard, "user_unknown")},
		"no kind, a code that is soft":  {item("bounce", `, "message": "421 later"`), bounced(event.Soft, "other")},
		"no kind, and words":            {item("bounce", `, "message": "Host or domain name not found"`), bounced(event.Hard, "user_unknown")},
		"words before a code":           {item("bounce", `, "bounce": "soft", "message": "550 5.7.1 over quota"`), bounced(event.Soft, "mailbox_full")},
		"no kind, and nothing":          {item("bounce", `, "bounce": null, "message": null`), bounced(event.Undetermined, "other")},
		"a kind that is new":            {item("bounce", `, "bounce": "block"`), bounced(event.Undetermined, "other")},
		"suppressed":                    {item("reject", `, "message": "Recipient is on the suppression list"`), rejected(event.SuppressedBounce)},
		"suppressed by a bounce":        {item("reject", `, "message": "Previously hard-bounced"`), rejected(event.SuppressedBounce)},
		"suppressed by a complaint":     {item("reject", `, "message": "Suppressed: Spam complaint"`), rejected(event.SuppressedComplaint)},
		"suppressed by the recipient":   {item("reject", `, "message": "Suppressed: unsubscribed"`), rejected(event.UnsubscribedAddress)},
		"a sender that is not verified": {item("reject", `, "message": "Unverified sender"`), rejected(event.UnverifiedAddress)},
		"in a sandbox":                  {item("reject", `, "message": "API key is sandboxed"`), rejected(event.OtherReason)},
		"rejected, nobody says why":     {item("reject", ``), rejected(event.OtherReason)},
		"an open":                       {item("open", ``), only(event.Opened)},
		"a click":                       {item("click", ``), only(event.Clicked)},
		"a complaint":                   {item("spam", ``), only(event.Complained)},
		"an unsubscription":             {item("unsubscribe", ``), only(event.Unsubscribed)},
		"a subscription anew":           {item("resubscribe", ``), only(event.Resubscribed)},
		"a text message":                {item("sms_delivered", ``), only(event.Unknown)},
		"a text message, delivered":     {`{"event": "delivered", "destination_number": "+15550100"}`, only(event.Unknown)},
		"an answer to a text message":   {`{"event": "opt-out"}`, only(event.Unknown)},
		"a name that is new":            {item("archived", ``), only(event.Unknown)},
		"a name in capitals":            {item("DELIVERED", ``), only(event.Delivered)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, outcome(one(t, decode(t, c.body)))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"a time without a zone is UTC":      {`{"event": "open", "time": "2026-01-01 10:00:00"}`, func(e *event.Event) any { return []any{e.Time, e.TimeZoneAssumed} }, []any{time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC), true}},
		"no time":                           {`{"event": "open"}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"an address with its name":          {`{"event": "open", "rcpt": "A <a@EXAMPLE.com>"}`, func(e *event.Event) any { return e.Recipient }, "a@example.com"},
		"no rcpt, and one recipient":        {`{"event": "processed", "recipients": ["a@example.com"]}`, func(e *event.Event) any { return []any{e.Recipient, e.Recipients} }, []any{"a@example.com", []string(nil)}},
		"no rcpt, and two":                  {`{"event": "processed", "recipients": ["a@example.com", "b@example.com"]}`, func(e *event.Event) any { return []any{e.Recipient, len(e.Recipients)} }, []any{"", 2}},
		"rcpt and others":                   {item("open", `, "recipients": ["b@example.com", "a@example.com"]`), func(e *event.Event) any { return []any{e.Recipient, e.Recipients} }, []any{"a@example.com", []string{"b@example.com", "a@example.com"}}},
		"recipients as a text":              {item("open", `, "recipients": "a@example.com, b@example.com"`), func(e *event.Event) any { return e.Recipients }, []string{"a@example.com", "b@example.com"}},
		"recipients as a list in a text":    {item("open", `, "recipients": "[\"a@example.com\",\"b@example.com\"]"`), func(e *event.Event) any { return e.Recipients }, []string{"a@example.com", "b@example.com"}},
		"the sender's bare address":         {item("open", `, "from": "B <b@example.com>", "from_address": "c@example.com"`), func(e *event.Event) any { return e.Sender }, "c@example.com"},
		"the sender in a header's form":     {item("open", `, "from": "B <b@EXAMPLE.com>"`), func(e *event.Event) any { return e.Sender }, "b@example.com"},
		"the envelope's sender is a detail": {item("open", `, "sender": "bounces@example.com"`), func(e *event.Event) any { return []any{e.Sender, e.Details["sender"]} }, []any{"", "bounces@example.com"}},
		"id is the webhook's":               {item("open", `, "id": "w1"`), func(e *event.Event) any { return []any{e.ProviderEventID, e.Details["id"]} }, []any{"", "w1"}},
		"who opens":                         {item("open", `, "srchost": "192.0.2.1"`), func(e *event.Event) any { return []any{e.IP, e.Details["srchost"]} }, []any{"192.0.2.1", ""}},
		"who sends":                         {item("processed", `, "srchost": "192.0.2.1"`), func(e *event.Event) any { return []any{e.IP, e.Details["srchost"]} }, []any{"", "192.0.2.1"}},
		"places":                            {item("open", `, "geoip-country": "NL", "geoip-city": "Delft", "read-secs": 5`), func(e *event.Event) any { return e.Details }, map[string]string{"geoip-country": "NL", "geoip-city": "Delft", "read-secs": "5"}},
		"header fields of the sender":       {item("open", `, "X-Order": "o-1", "List-Id": "l", "X-None": null`), func(e *event.Event) any { return e.Metadata }, map[string]string{"X-Order": "o-1", "List-Id": "l"}},
		"a server's words":                  {item("delivered", `, "message": "250 2.0.0 OK"`), func(e *event.Event) any { return []any{e.Diagnostic, e.SMTPCode, e.EnhancedCode, e.Reason} }, []any{"250 2.0.0 OK", 250, "2.0.0", ""}},
		"SMTP2GO's words":                   {item("reject", `, "message": "suppressed"`), func(e *event.Event) any { return []any{e.Reason, e.Diagnostic} }, []any{"suppressed", ""}},
		"a Message-ID in brackets":          {item("open", `, "message-id": "<m@example.com>"`), func(e *event.Event) any { return e.MessageID }, "m@example.com"},
		"the user of SMTP is not kept":      {item("open", `, "auth": "api-0001", "a": 1.0`), func(e *event.Event) any { return strings.Contains(string(e.Raw), "auth") || e.Metadata["auth"] != "" }, false},
		"without one nothing changes":       {` { "event": "open" } `, func(e *event.Event) any { return string(e.Raw) }, `{ "event": "open" }`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := one(t, decode(t, c.body))
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestUndecodable has bodies that are no event. All of each is kept.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing": ``, "a word": `hello`, "a list": `[` + item("open", ``) + `]`, "two objects": item("open", ``) + item("open", ``), "no event": `{"rcpt": "a@example.com"}`,
		"an event that is null": `{"event": null}`, "an event that is a list": `{"event": ["open"]}`, "two events": `{"event": "open", "event": "click"}`,
		"two recipients": `{"event": "open", "rcpt": "a@example.com", "rcpt": "b@example.com"}`, "an object that breaks off": `{"event": "open",`,
	} {
		b := decode(t, body)
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || string(b.Undecodable[0].Raw) != body || b.Undecodable[0].Reason == "" {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	id := func(body string) string { return one(t, decode(t, body)).ID }
	opened := item("open", `, "auth": "user-1", "client": "A"`)
	for name, c := range map[string]struct {
		other string
		same  bool
	}{
		"sent again":                {opened, true},
		"in another order":          {`{"client": "A", "email_id": "e1", "rcpt": "a@example.com", "time": "2026-01-01T10:00:00Z", "event": "open"}`, true},
		"without the user":          {strings.Replace(opened, `"auth": "user-1", `, "", 1), true},
		"a second later":            {strings.Replace(opened, "10:00:00", "10:00:01", 1), false},
		"another recipient":         {strings.Replace(opened, "a@", "b@", 1), false},
		"another message":           {strings.Replace(opened, "e1", "e2", 1), false},
		"another event":             {strings.Replace(opened, "open", "click", 1), false},
		"another program, at once":  {strings.Replace(opened, `"A"`, `"B"`, 1), false},
		"one more fact of the same": {strings.Replace(opened, `"client"`, `"client-os": "X", "client"`, 1), false},
	} {
		if (id(opened) == id(c.other)) != c.same {
			t.Errorf("%s: one id: %v, want %v", name, !c.same, c.same)
		}
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"bounce": event.Bounced, "click": event.Clicked, "delivered": event.Delivered, "open": event.Opened, "processed": event.Accepted,
		"resubscribe": event.Resubscribed, "unsubscribe": event.Unsubscribed,
	}
	for _, path := range providertest.Facts(t, "samples/smtp2go/*.body.json") {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		e := one(t, decode(t, string(body)))
		if e.Type != want[name] || e.Recipient == "" || e.Sender == "" || e.MessageID == "" || e.ProviderMessageID == "" || len(e.Metadata) > 0 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
