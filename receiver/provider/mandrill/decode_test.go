package mandrill_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

// decode decodes events within a form.
func decode(t testing.TB, events string) provider.Batch {
	t.Helper()
	return webhook(t, key).Decode(post(field + "=" + url.QueryEscape(events)))
}

func decodeOne(t testing.TB, item string) event.Event {
	t.Helper()
	b := decode(t, "["+item+"]")
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

func message(name, msg string) string {
	return `{"event": "` + name + `", "_id": "m1", "ts": 1767225600, "msg": {"email": "recipient@example.com"` + msg + `}}`
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		item string
		get  func(*event.Event) any
		want any
	}{
		"metadata that is empty: PHP writes a list":  {message("send", `, "metadata": []`), func(e *event.Event) any { return len(e.Metadata) }, 0},
		"metadata whose names count: the same":       {message("send", `, "metadata": ["a", 5, {"b": 1}]`), func(e *event.Event) any { return e.Metadata }, map[string]string{"0": "a", "1": "5", "2": `{"b": 1}`}},
		"metadata that is null":                      {message("send", `, "metadata": null`), func(e *event.Event) any { return len(e.Metadata) }, 0},
		"metadata called as a detail":                {message("send", `, "state": "sent", "metadata": {"state": "new"}`), func(e *event.Event) any { return []any{e.Metadata, e.Details} }, []any{map[string]string{"state": "new"}, map[string]string{"state": "sent"}}},
		"tags with a hole: PHP writes an object":     {message("send", `, "tags": {"0": "a", "2": "b"}`), func(e *event.Event) any { return e.Tags }, []string{"a", "b"}},
		"smtp_events and subaccount that are null":   {message("send", `, "smtp_events": null, "subaccount": null`), func(e *event.Event) any { return []any{e.Type, e.Account} }, []any{event.Sent, ""}},
		"a slash that is escaped":                    {strings.Replace(message("click", ""), `"_id"`, `"url": "http:\/\/www.example.com\/", "_id"`, 1), func(e *event.Event) any { return e.URL }, "http://www.example.com/"},
		"nothing is known of the software":           {strings.Replace(message("open", ""), `"_id"`, `"user_agent_parsed": null, "location": [], "_id"`, 1), func(e *event.Event) any { return []any{e.Type, e.Client} }, []any{event.Opened, event.Client{}}},
		"the id of the message alone":                {`{"event": "send", "ts": 1, "msg": {"_id": "m2"}}`, func(e *event.Event) any { return e.ProviderMessageID }, "m2"},
		"a message of which nothing is there":        {`{"event": "spam", "_id": "m1", "ts": 1767225600}`, func(e *event.Event) any { return []any{e.Type, e.ProviderMessageID} }, []any{event.Complained, "m1"}},
		"mail that came in without a message":        {`{"event": "inbound", "ts": 1767225600}`, func(e *event.Event) any { return []any{e.Type, e.Mail} }, []any{event.Received, (*event.Mail)(nil)}},
		"a time as a text":                           {`{"event": "send", "ts": "1767225600"}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), false}},
		"no time":                                    {`{"event": "send"}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"a name that is not known":                   {message("teleport", ""), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Unknown, "teleport"}},
		"a name in another spelling":                 {message("Hard-Bounce", ""), func(e *event.Event) any { return []any{e.Type, e.Bounce} }, []any{event.Bounced, event.Bounce{Type: event.Hard, Category: "other"}}},
		"the console's test":                         {strings.Replace(message("hard_bounce", ""), "recipient@example.com", "example.webhook@mandrillapp.com", 1), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Test, "hard_bounce"}},
		"a description that is not known":            {message("soft_bounce", `, "bounce_description": "general", "diag": "smtp;550 5.7.1 Rejected by policy"`), func(e *event.Event) any { return e.Bounce }, event.Bounce{Type: event.Soft, Category: "policy"}},
		"a description and no more":                  {message("soft_bounce", `, "bounce_description": "general"`), func(e *event.Event) any { return e.Bounce }, event.Bounce{Type: event.Soft, Category: "other"}},
		"a list that is not known":                   {`{"type": "greylist", "action": "add", "ts": 1767225600, "reject": {"email": "a@example.com"}}`, func(e *event.Event) any { return []any{e.Type, e.Recipient} }, []any{event.Unknown, "a@example.com"}},
		"a change of a list that is not known":       {`{"type": "blacklist", "action": "moved", "ts": 1767225600, "reject": {"email": "a@example.com"}}`, func(e *event.Event) any { return e.Type }, event.Unknown},
		"an entry that has expired is no longer one": {`{"type": "blacklist", "action": "change", "ts": 1767225600, "reject": {"email": "a@example.com", "expired": true}}`, func(e *event.Event) any { return e.Type }, event.SuppressionRemoved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, c.item)
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestTables holds what descriptions and reasons mean.
func TestTables(t *testing.T) {
	t.Parallel()
	for description, want := range map[string]string{
		"bad_mailbox": "user_unknown", "invalid_domain": "user_unknown", "mailbox_full": "mailbox_full", "spam": "spam",
		"relaying_denied": "connection", "no_answer": "connection", "dns_failure": "connection", "general": "other", "": "other",
	} {
		if e := decodeOne(t, message("hard_bounce", `, "bounce_description": "`+description+`"`)); e.Bounce.Category != want || e.Reason != description || e.Bounce.Type != event.Hard {
			t.Errorf("%s: %+v, %q; want %s", description, e.Bounce, e.Reason, want)
		}
	}
	for reason, want := range map[string]event.RejectReason{
		"hard-bounce": event.SuppressedBounce, "soft-bounce": event.SuppressedBounce, "spam": event.SuppressedComplaint, "unsub": event.UnsubscribedAddress,
		"invalid": event.InvalidAddress, "invalid-sender": event.InvalidAddress, "rule": event.PolicyViolation, "custom": event.PolicyViolation,
		"test-mode-limit": event.OtherReason, "unsigned": event.OtherReason, "": event.OtherReason,
	} {
		for _, reject := range []string{`{"reason": "` + reason + `"}`, `"` + reason + `"`} {
			if e := decodeOne(t, message("reject", `, "reject": `+reject)); e.Type != event.Rejected || e.Reject.Reason != want || e.Reason != reason {
				t.Errorf("%s: %s, %+v, %q; want %s", reject, e.Type, e.Reject, e.Reason, want)
			}
		}
	}
}

// TestBadBodies has what is authentic and cannot be read. What stands beside it is.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	send := message("send", "")
	for name, c := range map[string]struct {
		reason, body string
		events       int
		undecodable  []string
	}{
		"no events in it":       {"unsigned, in shadow mode", "a=1", 0, []string{"the field mandrill_events is missing"}},
		"events twice":          {"nobody knows which count", field + "=[]&" + field + "=[]", 0, []string{"the field mandrill_events occurs twice"}},
		"events that are none":  {"", form(`"hello"`), 0, []string{"expected a JSON object or array"}},
		"a sentence":            {"no JSON", form("Hello"), 0, []string{"expected a JSON object or array"}},
		"cut off":               {"the first can be read", form("[" + send + `,{"event": "se`), 1, []string{"invalid JSON: ends early, at byte 106"}},
		"one that is no object": {"its neighbours can be read", form("[" + send + ",5," + message("open", "") + "]"), 2, []string{"expected a JSON object"}},
		"one of neither kind":   {"its neighbours can be read", form("[" + send + `,{"ts": 1}]`), 1, []string{"neither event nor type is there"}},
		"two names for one":     {"nobody knows which counts", form(`[{"event": "open", "event": "spam"}]`), 0, []string{`the member "event" occurs twice, with different values`}},
		"one without a list":    {"it is clear what it is", form(send), 1, nil},
		"no item":               {"", form("[]"), 0, nil},
	} {
		b := webhook(t, key).Decode(post(c.body))
		var reasons []string
		for _, u := range b.Undecodable {
			reasons = append(reasons, u.Reason)
		}
		if diff := cmp.Diff(c.undecodable, reasons); diff != "" || len(b.Events) != c.events {
			t.Errorf("%s: %d events: %s: -want +got:\n%s", name, len(b.Events), c.reason, diff)
		}
	}
}

func form(events string) string { return field + "=" + url.QueryEscape(events) }

// TestTwins has two facts of one second that are equal in all that is said of them, as in the requests that the console makes.
func TestTwins(t *testing.T) {
	t.Parallel()
	open, other := message("open", ""), message("click", "")
	b := decode(t, "["+open+","+other+","+open+"]")
	if len(b.Events) != 3 || b.Events[0].ID == b.Events[2].ID {
		t.Fatalf("%d events, of which two are one: %+v", len(b.Events), b.Events)
	}
	again := decode(t, "["+other+","+open+","+open+"]")
	if again.Events[1].ID != b.Events[0].ID || again.Events[2].ID != b.Events[2].ID {
		t.Error("sent again in another order, they are others")
	}
}

// TestADeadLetterIsDecodedAgain has what is kept of an item that could not be read: its JSON, and of several a list.
func TestADeadLetterIsDecodedAgain(t *testing.T) {
	t.Parallel()
	w, item := webhook(t, key), message("send", "")
	want := decodeOne(t, item)
	for _, body := range []string{item, "[" + item + "]", " " + item, "\ufeff" + item} {
		r := post(body)
		if got := w.Decode(r); len(got.Events) != 1 || got.Events[0].ID != want.ID {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

// TestInbound has mail in the forms that PHP gives to it.
func TestInbound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		msg  string
		want event.Mail
	}{
		"nothing but a recipient": {"", event.Mail{}},
		"empty lists":             {`, "headers": [], "to": [], "cc": null, "attachments": [], "images": []`, event.Mail{}},
		"recipients":              {`, "to": [["a@EXAMPLE.com", null], ["B <b@example.com>", "Bee"], [], [null, "x"], "c@example.com"]`, event.Mail{To: []event.Mailbox{{Address: "a@example.com"}, {Address: "b@example.com", Name: "Bee"}, {Address: "c@example.com"}}}},
		"a header field twice":    {`, "headers": {"REPLY-to": ["r@example.com", "s@example.com"]}`, event.Mail{ReplyTo: []event.Mailbox{{Address: "r@example.com"}}}},
		"base64 that is none":     {`, "attachments": {"a.bin": {"type": "application/x-a", "content": "!!", "base64": true}}`, event.Mail{Attachments: []event.Attachment{{Name: "a.bin", MediaType: "application/x-a"}}}},
		"attachments by place":    {`, "attachments": [{"name": "a.txt", "content": "", "base64": false}]`, event.Mail{Attachments: []event.Attachment{{Name: "a.txt", SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}}},
		"not signed":              {`, "dkim": {"signed": false, "valid": false}`, event.Mail{Authentication: event.Authentication{DKIM: "none"}}},
		"no word on signatures":   {`, "dkim": {}`, event.Mail{}},
		"a mail that is none":     {`, "raw_msg": "\r\n", "text": "hello"`, event.Mail{Text: "hello"}},
		"a mail with a text":      {`, "raw_msg": "From: a@example.com\r\n\r\nhello", "text": "other"`, event.Mail{From: []event.Mailbox{{Address: "a@example.com"}}, Text: "hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, inbound(c.msg))
			c.want.Envelope.To = []string{"box@example.com"}
			if diff := cmp.Diff(&c.want, e.Mail); diff != "" || e.Recipient != "box@example.com" {
				t.Errorf("recipient %q, -want +got:\n%s", e.Recipient, diff)
			}
		})
	}
	if e := decodeOne(t, inbound(`, "text": "`+strings.Repeat("x", event.MaxMailText+1)+`"`)); !e.Truncated || len(e.Mail.Text) != event.MaxMailText {
		t.Errorf("truncated %v, %d bytes", e.Truncated, len(e.Mail.Text))
	}
}

// TestReports has a mail that came in and is a report on another one.
func TestReports(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(providertest.ReportMail)
	if err != nil {
		t.Fatal(err)
	}
	b := decode(t, "["+inbound(`, "raw_msg": `+string(raw))+"]")
	providertest.CheckReport(t, &b)
}

// inbound returns a mail that came in.
func inbound(msg string) string {
	return `{"event": "inbound", "ts": 1767225600, "msg": {"email": "box@example.com"` + msg + `}}`
}
