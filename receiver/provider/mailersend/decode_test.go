package mailersend_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailersend"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func webhook(t testing.TB) provider.Webhook {
	t.Helper()
	w, err := mailersend.Kind().New([]byte(`{"signingSecrets": ["`+secret+`"]}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t).Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// first returns an event in the first version of the bodies, and second in the second, with what is special to it.
func first(name, morph string) string {
	return `{"type": "activity.` + name + `", "domain_id": "d1", "data": {"id": "a1", "email": {"id": "e1", "recipient": {"email": "a@example.com"}}, "morph": ` + morph + `}}`
}

func second(name, meta string) string {
	return `{"type": "activity.` + name + `", "data": {"id": "a1", "domain_id": "d1", "email_id": "e1", "email": "a@example.com", "meta": ` + meta + `}}`
}

// outcome is what an event says of a message.
func outcome(e event.Event) event.Event {
	return event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
}

// TestOutcomes has every event, in both versions of the bodies.
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
		event, about string
		want         event.Event
	}{
		"sent":                        {"sent", `null`, only(event.Sent)},
		"delivered":                   {"delivered", `null`, only(event.Delivered)},
		"deferred":                    {"deferred", `{"reason": "421 later"}`, only(event.Deferred)},
		"a soft bounce":               {"soft_bounced", `{"reason": "452 4.2.2 full"}`, bounced(event.Soft, "mailbox_full")},
		"a soft bounce with a 5":      {"soft_bounced", `{"reason": "550 5.7.1 policy"}`, bounced(event.Soft, "policy")},
		"a hard bounce":               {"hard_bounced", `{"reason": "550 5.1.1 unknown"}`, bounced(event.Hard, "user_unknown")},
		"a hard bounce with a 4":      {"hard_bounced", `{"reason": "451 4.4.1 no answer"}`, bounced(event.Hard, "connection")},
		"a hard bounce in words":      {"hard_bounced", `{"reason": "Host or domain name not found"}`, bounced(event.Hard, "user_unknown")},
		"in words that nobody knows":  {"hard_bounced", `{"reason": "Unknown reason"}`, bounced(event.Hard, "other")},
		"words before a code":         {"soft_bounced", `{"reason": "550 5.7.1 over quota"}`, bounced(event.Soft, "mailbox_full")},
		"a bounce without a reason":   {"hard_bounced", `null`, bounced(event.Hard, "other")},
		"a status alone":              {"soft_bounced", `{"reason": "4.2.2 full"}`, bounced(event.Soft, "mailbox_full")},
		"suppressed by a bounce":      {"suppressed", `{"reason": "Hard bounces list"}`, rejected(event.SuppressedBounce)},
		"suppressed by a complaint":   {"suppressed", `{"reason": "Spam complaints"}`, rejected(event.SuppressedComplaint)},
		"suppressed by the recipient": {"suppressed", `{"reason": "Unsubscribed"}`, rejected(event.UnsubscribedAddress)},
		"suppressed, nobody says why": {"suppressed", `[]`, rejected(event.OtherReason)},
		"an open":                     {"opened", `{"ip": "192.0.2.1"}`, only(event.Opened)},
		"a first open":                {"opened_unique", `null`, only(event.Opened)},
		"a click":                     {"clicked", `{"url": "https://example.com/"}`, only(event.Clicked)},
		"a first click":               {"clicked_unique", `null`, only(event.Clicked)},
		"an unsubscription":           {"unsubscribed", `null`, only(event.Unsubscribed)},
		"a complaint":                 {"spam_complaint", `{"reason": null}`, only(event.Complained)},
		"a survey":                    {"survey_opened", `null`, only(event.Unknown)},
		"a name that is new":          {"archived", `null`, only(event.Unknown)},
		"a name in capitals":          {"HARD_BOUNCED", `null`, bounced(event.Hard, "other")},
		"a name with a hyphen":        {"spam-complaint", `null`, only(event.Complained)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{first(c.event, c.about), second(c.event, c.about)} {
				e := decodeOne(t, body)
				if diff := cmp.Diff(c.want, outcome(e)); diff != "" {
					t.Errorf("%s: -want +got:\n%s", body, diff)
				}
				if e.Recipient != "a@example.com" || e.Account != "d1" || e.Details["email_id"] != "e1" || e.ProviderEventID != "a1" {
					t.Errorf("%s: %+v", body, e)
				}
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
		"the time within counts":           {`{"type": "activity.sent", "created_at": "2026-01-01T10:00:02Z", "data": {"created_at": "2026-01-01T10:00:00.506000Z"}}`, func(e *event.Event) any { return e.Time }, time.Date(2026, 1, 1, 10, 0, 0, 506e6, time.UTC)},
		"a time without a zone":            {`{"type": "maintenance.end", "created_at": "2026-01-01 10:00:00"}`, func(e *event.Event) any { return []any{e.Time, e.TimeZoneAssumed} }, []any{time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC), true}},
		"no time":                          {`{"type": "activity.sent"}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"no data":                          {`{"type": "activity.hard_bounced"}`, func(e *event.Event) any { return e.Bounce.Type }, event.Hard},
		"data that is a list":              {`{"type": "activity.sent", "data": []}`, func(e *event.Event) any { return e.Type }, event.Sent},
		"the recipient's other name":       {`{"type": "activity.sent", "data": {"recipient": "a@EXAMPLE.com"}}`, func(e *event.Event) any { return e.Recipient }, "a@example.com"},
		"tags that are null":               {`{"type": "activity.sent", "data": {"email": {"tags": null}}}`, func(e *event.Event) any { return e.Tags }, []string(nil)},
		"meta that is an empty list":       {second("opened", `[]`), func(e *event.Event) any { return e.Details }, map[string]string{"email_id": "e1"}},
		"meta beside a morph that is null": {`{"type": "activity.opened", "data": {"morph": null, "meta": {"ip": "192.0.2.1"}}}`, func(e *event.Event) any { return e.IP }, "192.0.2.1"},
		"more of meta":                     {second("opened", `{"ip": "192.0.2.1", "country": "NL", "score": 7}`), func(e *event.Event) any { return e.Details }, map[string]string{"email_id": "e1", "country": "NL", "score": "7"}},
		"a first open says so":             {first("opened_unique", `null`), func(e *event.Event) any { return e.Details["first"] }, "true"},
		"no first open does not":           {first("opened", `null`), func(e *event.Event) any { return e.Details["first"] }, ""},
		"a reason with its code":           {first("unsubscribed", `{"reason": "SPAM", "readable_reason": "It is spam"}`), func(e *event.Event) any { return []string{e.Reason, e.Details["reason"]} }, []string{"It is spam", "SPAM"}},
		"a reason that is words":           {first("spam_complaint", `{"reason": "abuse"}`), func(e *event.Event) any { return []string{e.Reason, e.Details["reason"]} }, []string{"abuse", ""}},
		"a server's words":                 {first("hard_bounced", `{"reason": "550 5.1.1 no"}`), func(e *event.Event) any { return []any{e.Diagnostic, e.SMTPCode, e.EnhancedCode, e.Reason} }, []any{"550 5.1.1 no", 550, "5.1.1", ""}},
		"header fields of the sender":      {`{"type": "activity.sent", "data": {"email": {"headers": [{"name": "X-A", "value": "1"}, {"name": "X-B", "value": 2}, 5]}}}`, func(e *event.Event) any { return e.Metadata }, map[string]string{"X-A": "1", "X-B": "2"}},
		"header fields that are none":      {`{"type": "activity.sent", "data": {"email": {"headers": "no"}}}`, func(e *event.Event) any { return e.Metadata }, map[string]string(nil)},
		"the endpoint's URL is not kept":   {`{"type": "activity.sent", "url": "https://example.com/hooks/secret", "a": 1.0}`, func(e *event.Event) any { return string(e.Raw) }, `{"type":"activity.sent","a":1.0}`},
		"a click's URL is":                 {first("clicked", `{"url": "https://example.com/"}`), func(e *event.Event) any { return strings.Contains(string(e.Raw), `"https://example.com/"`) }, true},
		"without a URL nothing changes":    {"\n { \"type\": \"sms.sent\" } ", func(e *event.Event) any { return string(e.Raw) }, `{ "type": "sms.sent" }`},
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

// TestUndecodable has bodies that are no event. All of each is kept.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing": ``, "a word": `hello`, "a form": `type=activity.sent`, "a list": `[` + first("sent", `null`) + `]`, "two objects": `{"type": "a"} {"type": "b"}`,
		"no type": `{"data": {"id": "1"}}`, "a type that is null": `{"type": null}`, "a type that is an object": `{"type": {}}`, "two types": `{"type": "activity.sent", "type": "activity.opened"}`,
		"two recipients": `{"type": "activity.sent", "data": {"email": "a@example.com", "email": "b@example.com"}}`, "an object that breaks off": `{"type": "activity.sent",`,
	} {
		b := decode(t, body)
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || string(b.Undecodable[0].Raw) != body || b.Undecodable[0].Reason == "" {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	const open = `{"id": "o1", "created_at": "2026-01-01T10:00:00Z", "ip": "192.0.2.1"}`
	for name, c := range map[string]struct {
		one, other string
		same       bool
	}{
		"a first open is posted under two names":     {first("opened", open), first("opened_unique", open), true},
		"and may have an id for each":                {first("opened", open), strings.Replace(first("opened_unique", open), `"a1"`, `"a2"`, 1), true},
		"a second open is another one":               {first("opened", open), first("opened", strings.Replace(open, "o1", "o2", 1)), false},
		"one that is kept in the place of the first": {first("opened", open), first("opened", strings.Replace(open, "10:00", "11:00", 1)), false},
		"one from elsewhere":                         {first("opened", open), first("opened", strings.Replace(open, "192.0.2.1", "192.0.2.2", 1)), false},
		"a bounce that has one of its own":           {first("hard_bounced", `{"id": "b1"}`), strings.Replace(first("hard_bounced", `{"id": "b1"}`), `"a1"`, `"a2"`, 1), false},
		"a click is no open":                         {first("opened", open), first("clicked", open), false},
		"another link of one click":                  {first("clicked", `{"id": "c1", "url": "https://a.example/"}`), first("clicked", `{"id": "c1", "url": "https://b.example/"}`), false},
		"both names in the second version":           {second("clicked", `[]`), second("clicked_unique", `[]`), true},
		"an activity in both versions":               {first("delivered", `null`), second("delivered", `[]`), true},
		"activities with one id":                     {first("sent", `null`), first("delivered", `null`), false},
		"the time of the request":                    {first("sent", `null`), strings.Replace(first("sent", `null`), `"domain_id"`, `"created_at": "2026-01-01T10:00:00Z", "domain_id"`, 1), true},
		"events without an id":                       {`{"type": "maintenance.end", "created_at": "2026-01-01 10:00:00"}`, `{"type": "maintenance.end", "created_at": "2026-01-02 10:00:00"}`, false},
		"without an id, posted to two URLs":          {`{"type": "maintenance.end", "url": "https://a.example/"}`, `{"type": "maintenance.end", "url": "https://b.example/"}`, true},
		"a name in another letter case":              {first("opened", open), strings.Replace(first("opened", open), "opened", "OPENED", 1), true},
	} {
		one, other := decodeOne(t, c.one).ID, decodeOne(t, c.other).ID
		if (one == other) != c.same {
			t.Errorf("%s: one id: %v, want %v", name, one == other, c.same)
		}
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"activity.clicked": event.Clicked, "activity.clicked_unique": event.Clicked, "activity.deferred": event.Deferred, "activity.delivered": event.Delivered,
		"activity.hard_bounced": event.Bounced, "activity.opened": event.Opened, "activity.sent": event.Sent, "activity.soft_bounced": event.Bounced,
		"inbound.message": event.Received, "webhook.test": event.Test,
	}
	for _, path := range providertest.Facts(t, "samples/mailersend/*.body.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		e := decodeOne(t, read(t, path))
		if e.Type != want[name] || e.ProviderEvent != name {
			t.Errorf("%s: %+v", name, e)
		}
		if name != "webhook.test" && (e.Recipient == "" || e.Sender == "" || e.Subject == "" || e.TimeRaw == "" || e.ProviderEventID == "") {
			t.Errorf("%s: %+v", name, e)
		}
		if strings.Contains(string(e.Raw), "hooks.example.com") {
			t.Errorf("%s: it keeps the URL of the endpoint", name)
		}
	}
}
