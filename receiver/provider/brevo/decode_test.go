package brevo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/brevo"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	w, err := brevo.Kind().New([]byte(`{}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w.Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

// one returns the event of a request, and decodes what is kept of it again.
func one(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	if diff := cmp.Diff(b.Events, decode(t, string(b.Events[0].Raw)).Events); diff != "" {
		t.Errorf("what is kept is another event:\n%s", diff)
	}
	return b.Events[0]
}

// notice returns an event of a transactional message.
func notice(name, more string) string {
	return `{"event": "` + name + `", "email": "a@example.com", "message-id": "<m@example.com>", "ts_epoch": 1767225600123` + more + `}`
}

func TestOddities(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"a time in milliseconds":                   {notice("opened", ""), func(e *event.Event) any { return []any{e.Time, e.TimeZoneAssumed} }, []any{at.Add(123 * time.Millisecond), false}},
		"a time in seconds under that name":        {`{"event": "opened", "ts_epoch": 1767225600}`, func(e *event.Event) any { return []any{e.Time, e.TimeZoneAssumed} }, []any{at, false}},
		"a time under a misspelt name":             {`{"event": "opened", "s_epoch": 1767225600123, "ts_event": 1}`, func(e *event.Event) any { return []any{e.Time, e.TimeZoneAssumed} }, []any{at.Add(123 * time.Millisecond), false}},
		"a time in the account's zone":             {`{"event": "opened", "message-id": "m", "ts_event": 1767225600, "ts": 1}`, func(e *event.Event) any { return []any{e.Time, e.TimeZoneAssumed} }, []any{at, true}},
		"a time of a campaign":                     {`{"event": "opened", "camp_id": 1, "ts_event": 1767225600, "ts": 1767229200}`, func(e *event.Event) any { return []any{e.Time, e.TimeZoneAssumed} }, []any{at, false}},
		"a date and no number":                     {`{"event": "opened", "date": "2026-01-01 00:00:00"}`, func(e *event.Event) any { return []any{e.Time, e.TimeZoneAssumed} }, []any{at, true}},
		"no time":                                  {`{"event": "opened"}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible, e.TimeZoneAssumed} }, []any{received(), true, false}},
		"tags as a list in a text":                 {notice("opened", `, "tag": "[\"a\",\"b\"]"`), func(e *event.Event) any { return e.Tags }, []string{"a", "b"}},
		"one tag as a text":                        {notice("opened", `, "tag": "a"`), func(e *event.Event) any { return e.Tags }, []string{"a"}},
		"tags before tag":                          {notice("opened", `, "tag": "x", "tags": ["a"]`), func(e *event.Event) any { return e.Tags }, []string{"a"}},
		"no tag":                                   {notice("opened", `, "tag": "", "tags": []`), func(e *event.Event) any { return len(e.Tags) }, 0},
		"what the sender attached, as JSON":        {notice("opened", `, "X-Mailin-custom": "{\"a\": 1, \"b\": {\"c\": 2}}"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "1", "b": `{"c": 2}`}},
		"what the sender attached, as a text":      {notice("opened", `, "X-Mailin-custom": "a:1|b:2"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"X-Mailin-custom": "a:1|b:2"}},
		"what the sender attached, as a list":      {notice("opened", `, "X-Mailin-custom": "[1]"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"X-Mailin-custom": "[1]"}},
		"nothing attached":                         {notice("opened", `, "X-Mailin-custom": null`), func(e *event.Event) any { return len(e.Metadata) }, 0},
		"a link that is empty":                     {notice("opened", `, "link": ""`), func(e *event.Event) any { return e.URL }, ""},
		"a link of a campaign":                     {`{"event": "click", "camp_id": 1, "URL": "https://example.com"}`, func(e *event.Event) any { return e.URL }, "https://example.com"},
		"a reply of several lines":                 {notice("hard_bounce", `, "reason": "550-5.1.1 no\n  550 5.1.1 user"`), func(e *event.Event) any { return []any{e.SMTPCode, e.EnhancedCode, e.Bounce} }, []any{550, "5.1.1", event.Bounce{Type: event.Hard, Category: "user_unknown"}}},
		"a reply without codes":                    {notice("soft_bounce", `, "reason": "server is down"`), func(e *event.Event) any { return []any{e.SMTPCode, e.Diagnostic, e.Bounce} }, []any{0, "server is down", event.Bounce{Type: event.Soft, Category: "other"}}},
		"a full mailbox":                           {notice("soft_bounce", `, "reason": "452 4.2.2 full"`), func(e *event.Event) any { return e.Bounce }, event.Bounce{Type: event.Soft, Category: "mailbox_full"}},
		"a deferral":                               {notice("deferred", `, "reason": "421 4.7.0 later"`), func(e *event.Event) any { return []any{e.Type, e.SMTPCode, e.Diagnostic} }, []any{event.Deferred, 421, "421 4.7.0 later"}},
		"an address that is none":                  {notice("invalid_email", ""), func(e *event.Event) any { return []any{e.Type, e.Reject.Reason} }, []any{event.Rejected, event.InvalidAddress}},
		"an error":                                 {notice("error", `, "reason": "API error"`), func(e *event.Event) any { return []any{e.Type, e.Reason} }, []any{event.Failed, "API error"}},
		"a complaint":                              {notice("complaint", ""), func(e *event.Event) any { return e.Type }, event.Complained},
		"an unsubscription, as the page writes it": {notice("unsubscribe", ""), func(e *event.Event) any { return e.Type }, event.Unsubscribed},
		"a first open":                             {notice("unique_opened", ""), func(e *event.Event) any { return []any{e.Type, e.Details["first"], e.ProviderEvent} }, []any{event.Opened, "true", "unique_opened"}},
		"an open by a proxy":                       {notice("proxy_open", ""), func(e *event.Event) any { return []any{e.Type, e.Details["proxy"], e.Details["first"]} }, []any{event.Opened, "true", ""}},
		"the first by a proxy":                     {notice("unique_proxy_open", ""), func(e *event.Event) any { return []any{e.Type, e.Details["proxy"], e.Details["first"]} }, []any{event.Opened, "true", "true"}},
		"a name in capitals":                       {notice("HARD_BOUNCE", ""), func(e *event.Event) any { return []any{e.Type, e.Bounce.Type} }, []any{event.Bounced, event.Hard}},
		"a name that is not known":                 {notice("teleported", ""), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Unknown, "teleported"}},
		"a coupon is no message":                   {notice("unique_coupon_sent", ""), func(e *event.Event) any { return e.Type }, event.Unknown},
		"a contact added to a list asked nothing":  {`{"event": "list_addition", "email": "a@example.com", "list_id": [7]}`, func(e *event.Event) any { return []any{e.Type, e.Details["list_id"]} }, []any{event.Unknown, "7"}},
		"several contacts":                         {`{"event": "contact_deleted", "email": ["a@example.com", "b@example.com"]}`, func(e *event.Event) any { return []any{e.Recipient, e.Recipients} }, []any{"", []string{"a@example.com", "b@example.com"}}},
		"one contact as a list":                    {`{"event": "contact_deleted", "email": ["a@example.com"]}`, func(e *event.Event) any { return []any{e.Recipient, len(e.Recipients)} }, []any{"a@example.com", 0}},
		"deep nesting beside a key":                {notice("contact_updated", `, "key": "k", "content": `+strings.Repeat("[", 90)+strings.Repeat("]", 90)), func(e *event.Event) any { return strings.Contains(string(e.Raw), "key") }, false},
		"the webhook's id is no event's":           {notice("opened", `, "id": 814119`), func(e *event.Event) any { return []any{e.ProviderEventID, e.Details["id"]} }, []any{"", "814119"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := one(t, c.body)
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestBlocks holds what the words for a block mean.
func TestBlocks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]event.RejectReason{
		"blocked : due to unsubscribed user": event.UnsubscribedAddress, "blocked : due to blacklist user": event.SuppressedBounce, "Hard bounced before": event.SuppressedBounce,
		"blocked: SPAM complaint": event.SuppressedComplaint, "blocked": event.OtherReason, "": event.OtherReason,
	} {
		if e := one(t, notice("blocked", `, "reason": "`+text+`"`)); e.Type != event.Rejected || e.Reject.Reason != want || e.Reason != text {
			t.Errorf("%q: %s, %+v, %q; want %s", text, e.Type, e.Reject, e.Reason, want)
		}
	}
}

// TestNoKeyIsKept has events of contacts, which tell the API key that made them.
func TestNoKeyIsKept(t *testing.T) {
	t.Parallel()
	const secret = "xkeysib-0123456789abcdef"
	e := one(t, `{"event": "contact_updated", "key": "`+secret+`", "email": "a@example.com", "content": [{"key": "kept"}], "ts": 1767225600}`)
	if strings.Contains(string(e.Raw), secret) || !strings.Contains(string(e.Raw), "kept") || len(e.Details)+len(e.Metadata) > 0 {
		t.Errorf("%s, %v", e.Raw, e.Details)
	}
	if other := one(t, `{"event": "contact_updated", "key": "another", "email": "a@example.com", "content": [{"key": "kept"}], "ts": 1767225600}`); other.ID != e.ID {
		t.Error("the id rests on the key")
	}
}

// TestOneOpenIsOneEvent has a first open, which is posted under two names where both are subscribed to.
func TestOneOpenIsOneEvent(t *testing.T) {
	t.Parallel()
	opened, first := notice("opened", ""), notice("unique_opened", "")
	if one(t, opened).ID != one(t, first).ID {
		t.Error("in two requests it is two events")
	}
	for _, body := range []string{"[" + opened + "," + first + "]", "[" + first + "," + opened + "]"} {
		if b := decode(t, body); len(b.Events) != 1 || b.Events[0].Details["first"] != "true" {
			t.Errorf("in one request: %+v", b.Events)
		}
	}
	for what, other := range map[string]string{
		"by a proxy": notice("proxy_open", ""), "a click": notice("click", ""), "a millisecond later": strings.Replace(opened, "123", "124", 1),
		"of another message": strings.Replace(opened, "m@", "n@", 1), "by somebody else": strings.Replace(opened, "a@", "b@", 1),
	} {
		if one(t, other).ID == one(t, opened).ID {
			t.Errorf("%s: it is another event", what)
		}
	}
	b := decode(t, "["+opened+","+opened+","+first+","+first+"]")
	if len(b.Events) != 2 || b.Events[0].ID == b.Events[1].ID {
		t.Errorf("two opens that are equal in all, each under two names: %d events", len(b.Events))
	}
	again := decode(t, "["+first+","+first+"]")
	if len(again.Events) != 2 || again.Events[0].ID != b.Events[0].ID || again.Events[1].ID != b.Events[1].ID {
		t.Error("told again they are others")
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	opened := notice("opened", "")
	for name, c := range map[string]struct {
		reason, body string
		events       int
		undecodable  []string
	}{
		"nothing":                 {"", "", 0, []string{"expected a JSON object or array"}},
		"a sentence":              {"", "hello", 0, []string{"expected a JSON object or array"}},
		"no event":                {"", "[]", 0, nil},
		"no mail":                 {"", `{"items": []}`, 0, nil},
		"cut off":                 {"the first can be read", "[" + opened + `,{"event": "op`, 1, []string{"invalid JSON: ends early, at byte 120"}},
		"a number in between":     {"its neighbours can be read", "[" + opened + ",5," + notice("click", "") + "]", 2, []string{"expected a JSON object"}},
		"one without a name":      {"its neighbours can be read", "[" + opened + `,{"email": "a@example.com"}]`, 1, []string{"the member event is missing, and it is no mail"}},
		"two names for one":       {"nobody knows which counts", `{"event": "opened", "event": "click"}`, 0, []string{`the member "event" occurs twice, with different values`}},
		"a mail that is a number": {"its neighbours can be read", `{"items": [5, {"Uuid": ["u1"]}]}`, 1, []string{"expected a JSON object"}},
		"mails within a mail":     {"no list is within a list", `{"items": [{"items": [{"Uuid": ["u1"]}]}]}`, 0, []string{"the member event is missing, and it is no mail"}},
		"items of an event":       {"they are the event's", `{"event": "opened", "items": [{"Uuid": ["u1"]}]}`, 1, nil},
	} {
		b := decode(t, c.body)
		var reasons []string
		for _, u := range b.Undecodable {
			reasons = append(reasons, u.Reason)
		}
		if diff := cmp.Diff(c.undecodable, reasons); diff != "" || len(b.Events) != c.events {
			t.Errorf("%s: %d events: %s: -want +got:\n%s", name, len(b.Events), c.reason, diff)
		}
	}
}

func TestInbound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rest string
		want event.Mail
	}{
		"nothing":                   {``, event.Mail{}},
		"nulls":                     {`, "From": null, "To": null, "Cc": null, "ReplyTo": null, "Attachments": null, "Headers": null, "SpamScore": null, "InReplyTo": null`, event.Mail{}},
		"one in place of a list":    {`, "To": {"Name": "T", "Address": "t@EXAMPLE.com"}, "ReplyTo": {"Name": null, "Address": "r@example.com"}`, event.Mail{To: []event.Mailbox{{Address: "t@example.com", Name: "T"}}, ReplyTo: []event.Mailbox{{Address: "r@example.com"}}}},
		"recipients of the mail":    {`, "Recipients": ["t@example.com"]`, event.Mail{Envelope: event.MailEnvelope{To: []string{"t@example.com"}}}},
		"a header field as a list":  {`, "Headers": {"auto-submitted": ["auto-replied", "no"], "Return-Path": "<s@example.org>"}`, event.Mail{AutoSubmitted: "auto-replied", Envelope: event.MailEnvelope{From: "s@example.org"}}},
		"a date of its own":         {`, "SentAtDate": "Thu, 01 Jan 2026 01:00:00 +0100", "Headers": {"Date": "x"}`, event.Mail{Date: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"what it answers":           {`, "InReplyTo": "<q@example.com>"`, event.Mail{InReplyTo: "q@example.com"}},
		"a score as a text":         {`, "SpamScore": "2.9"`, event.Mail{Spam: event.Spam{Score: "2.9"}}},
		"a file that Brevo keeps":   {`, "Attachments": [{"Name": "a.txt", "ContentType": "Text/Plain; charset=utf-8", "ContentLength": "13", "ContentID": "<c1>", "DownloadToken": "t1"}]`, event.Mail{Attachments: []event.Attachment{{Name: "a.txt", MediaType: "text/plain", Size: 13, ContentID: "c1", ID: "t1"}}}},
		"a file of a negative size": {`, "Attachments": [{"ContentLength": -1}, 5]`, event.Mail{Attachments: []event.Attachment{{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := one(t, `{"items": [{"Uuid": ["u1"]`+c.rest+`}]}`)
			if diff := cmp.Diff(&c.want, e.Mail); diff != "" || e.Type != event.Received || e.ProviderEventID != "u1" {
				t.Errorf("%s %q, -want +got:\n%s", e.Type, e.ProviderEventID, diff)
			}
			if !e.Time.Equal(received()) || !e.TimeImplausible {
				t.Errorf("time %v, implausible %v: Brevo tells none", e.Time, e.TimeImplausible)
			}
		})
	}
}

// TestInboundIDs has a mail that is told again with new tokens, and mails that are others.
func TestInboundIDs(t *testing.T) {
	t.Parallel()
	mail := func(id, more string) string {
		return `{"items": [{` + id + `"MessageId": "<m@example.com>"` + more + `}]}`
	}
	token := func(text string) string { return `, "Attachments": [{"DownloadToken": "` + text + `"}]` }
	if one(t, mail(`"Uuid": ["u1"], `, token("a"))).ID != one(t, mail(`"Uuid": ["u1"], `, token("b"))).ID {
		t.Error("a mail whose files have new tokens is another mail")
	}
	if one(t, mail(`"Uuid": ["u1"], `, "")).ID == one(t, mail(`"Uuid": ["u2"], `, "")).ID {
		t.Error("two mails share an id")
	}
	if one(t, mail("", `, "To": [{"Address": "a@example.com"}]`)).ID == one(t, mail("", `, "To": [{"Address": "b@example.com"}]`)).ID {
		t.Error("without a Uuid, two recipients' mails share an id")
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"inbound": event.Received, "marketing-click": event.Clicked, "marketing-contact_deleted": event.Unknown, "marketing-contact_updated": event.Unknown,
		"marketing-delivered": event.Delivered, "marketing-hard_bounce": event.Bounced, "marketing-list_addition": event.Unknown, "marketing-opened": event.Opened,
		"marketing-proxy_open": event.Opened, "marketing-soft_bounce": event.Bounced, "marketing-unsubscribe": event.Unsubscribed, "transactional-blocked": event.Rejected,
		"transactional-click": event.Clicked, "transactional-complaint": event.Complained, "transactional-delivered": event.Delivered, "transactional-error": event.Failed,
		"transactional-hard_bounce": event.Bounced, "transactional-invalid_email": event.Rejected, "transactional-opened": event.Opened, "transactional-request": event.Accepted,
		"transactional-soft_bounce": event.Bounced, "transactional-unique_opened": event.Opened, "transactional-unsubscribed": event.Unsubscribed,
	}
	for _, path := range providertest.Facts(t, "samples/brevo/*.body.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if e := one(t, string(body)); e.Type != want[name] || e.Recipient == "" && name != "inbound" || (e.TimeRaw == "") != (name == "inbound") {
			t.Errorf("%s: %s of %q at %q; want %s", name, e.Type, e.Recipient, e.TimeRaw, want[name])
		}
	}
}
