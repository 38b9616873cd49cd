package postal_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func receipt() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, mediaType, body string) provider.Batch {
	t.Helper()
	r := &provider.Request{Body: []byte(body), ReceivedAt: receipt(), Header: http.Header{"Content-Type": {mediaType}}}
	return webhook(t, pinned(t, demo(t)), provider.Environment{}).Decode(r)
}

func decodeAs(t testing.TB, mediaType, body string) event.Event {
	t.Helper()
	b := decode(t, mediaType, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	return decodeAs(t, "application/json", body)
}

// about returns an event of a name about a message, with more members of the payload.
func about(name, rest string) string {
	return `{"event": "` + name + `", "timestamp": 1767261601.5, "uuid": "u", "payload": {"message": {"id": 7, "direction": "outgoing", "to": "a@example.com"}` + rest + `}}`
}

// outcome is what an event says of a message.
func outcome(e event.Event) event.Event {
	return event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
}

// TestFailures has what Postal calls one event and a server says in its own words.
func TestFailures(t *testing.T) {
	t.Parallel()
	bounced := func(t event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: t, Category: category}}
	}
	failed := event.Event{Type: event.Failed}
	for output, want := range map[string]event.Event{
		`"550 5.1.1 no such user"`: bounced(event.Hard, "user_unknown"), `"550 no"`: bounced(event.Hard, "other"), `"554 5.7.1 policy"`: bounced(event.Soft, "policy"),
		`"552 5.2.2 full"`: bounced(event.Hard, "mailbox_full"), `"451 4.4.1 no answer"`: failed, `""`: failed, `null`: failed, `"connection refused"`: failed, `5`: failed,
	} {
		if diff := cmp.Diff(want, outcome(decodeOne(t, about("MessageDeliveryFailed", `, "output": `+output)))); diff != "" {
			t.Errorf("%s: -want +got:\n%s", output, diff)
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	incoming := func(name string) string {
		return strings.Replace(about(name, `, "status": "Sent", "output": "550 no"`), "outgoing", "incoming", 1)
	}
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"sent is delivered":                {about("MessageSent", ``), func(e *event.Event) any { return e.Type }, event.Delivered},
		"held is accepted":                 {about("MessageHeld", `, "details": "in development mode"`), func(e *event.Event) any { return []any{e.Type, e.Reason} }, []any{event.Accepted, "in development mode"}},
		"a mail that was handed over here": {incoming("MessageSent"), func(e *event.Event) any { return e.Type }, event.Unknown},
		"one that was not, for now":        {incoming("MessageDelayed"), func(e *event.Event) any { return e.Type }, event.Unknown},
		"one that was not, for good":       {incoming("MessageDeliveryFailed"), func(e *event.Event) any { return []any{e.Type, e.Bounce} }, []any{event.Unknown, event.Bounce{}}},
		"a name in small letters":          {about("messageloaded", ``), func(e *event.Event) any { return e.Type }, event.Opened},
		"a name that is new":               {about("MessageArchived", ``), func(e *event.Event) any { return []any{e.Type, e.Recipient} }, []any{event.Unknown, "a@example.com"}},
		"the time of the attempt":          {about("MessageSent", `, "timestamp": 1767261600.99`), func(e *event.Event) any { return []any{e.Time, e.TimeRaw} }, []any{first.Add(990 * time.Millisecond), "1767261600.99"}},
		"the time of the event":            {about("MessageLoaded", ``), func(e *event.Event) any { return e.Time }, first.Add(1500 * time.Millisecond)},
		"no time":                          {`{"event": "MessageSent", "payload": {}}`, func(e *event.Event) any { return e.TimeImplausible }, true},
		"no tag":                           {about("MessageSent", ``), func(e *event.Event) any { return e.Tags }, []string(nil)},
		"brackets, although there are not": {strings.Replace(about("MessageSent", ``), `"id": 7`, `"message_id": "<a@b>"`, 1), func(e *event.Event) any { return e.MessageID }, "a@b"},
		"a payload that is none":           {`{"event": "MessageSent", "payload": null}`, func(e *event.Event) any { return []any{e.Type, e.Recipient} }, []any{event.Delivered, ""}},
		"a bounce without its original":    {`{"event": "MessageBounced", "payload": {"bounce": {"id": 1}}}`, func(e *event.Event) any { return []any{e.Bounce.Type, e.Details["bounce.id"]} }, []any{event.Undetermined, "1"}},
		"a limit":                          {`{"event": "SendLimitExceeded", "payload": {"server": {"permalink": "shop"}, "limit": 10}}`, func(e *event.Event) any { return []any{e.Type, e.Account, e.Details["limit"]} }, []any{event.AccountStatusChanged, "shop", "10"}},
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

// TestInbound has a mail as JSON.
func TestInbound(t *testing.T) {
	t.Parallel()
	envelope := event.MailEnvelope{To: []string{"in@example.com"}}
	box := func(addresses ...string) (boxes []event.Mailbox) {
		for _, a := range addresses {
			boxes = append(boxes, event.Mailbox{Address: a})
		}
		return boxes
	}
	test := event.Attachment{Name: "a.txt", MediaType: "text/plain", Size: 4, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
	for name, c := range map[string]struct {
		rest string
		want event.Mail
	}{
		"nothing":                     {``, event.Mail{Envelope: envelope}},
		"null for all of it":          {`, "to": null, "cc": null, "from": null, "date": null, "references": null, "reply_to": null, "html_body": null, "attachments": null`, event.Mail{Envelope: envelope}},
		"a reply address as a text":   {`, "reply_to": "a@example.com, b@example.com"`, event.Mail{Envelope: envelope, ReplyTo: box("a@example.com", "b@example.com")}},
		"reply addresses as a list":   {`, "reply_to": ["a@example.com", "b@example.com"]`, event.Mail{Envelope: envelope, ReplyTo: box("a@example.com", "b@example.com")}},
		"base64 with line breaks":     {`, "attachments": [{"filename": "a.txt", "content_type": "TEXT/plain", "size": 4, "data": "dGVz\ndA==\n"}]`, event.Mail{Envelope: envelope, Attachments: []event.Attachment{test}}},
		"base64 that is none":         {`, "attachments": [{"filename": "a.txt", "data": "!"}]`, event.Mail{Envelope: envelope, Attachments: []event.Attachment{{Name: "a.txt"}}}},
		"a verdict":                   {`, "spam_status": "Spam"`, event.Mail{Envelope: envelope, Spam: event.Spam{Verdict: "spam"}}},
		"a mail as a whole":           {`, "message": "VG86IGJAZXhhbXBsZS5jb20N\nCg0KaGVsbG8=\n", "base64": true`, event.Mail{Envelope: envelope, To: box("b@example.com"), Text: "hello"}},
		"a mail that is not encoded":  {`, "message": "To: b@example.com\r\n\r\nhello", "base64": false`, event.Mail{Envelope: envelope, To: box("b@example.com"), Text: "hello"}},
		"base64 that should be one":   {`, "message": "!!", "base64": true`, event.Mail{Envelope: envelope}},
		"a mail that is none":         {`, "message": "\r\n", "plain_body": "hello"`, event.Mail{Envelope: envelope, Text: "hello"}},
		"an automatic answer":         {`, "auto_submitted": "Auto-Replied"`, event.Mail{Envelope: envelope, AutoSubmitted: "auto-replied"}},
		"a date that cannot be read":  {`, "date": "yesterday"`, event.Mail{Envelope: envelope}},
		"what it is an answer to":     {`, "in_reply_to": "<a@b>", "references": "<c@d> <a@b>"`, event.Mail{Envelope: envelope, InReplyTo: "a@b", References: []string{"c@d", "a@b"}}},
		"attachments as an object":    {`, "attachments": {"filename": "a.txt", "content_type": "text/plain", "data": "dGVzdA=="}`, event.Mail{Envelope: envelope, Attachments: []event.Attachment{test}}},
		"replies apart from the rest": {`, "plain_body": "hello", "replies_from_plain_body": "> hi"`, event.Mail{Envelope: envelope, Text: "hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, `{"id": 7, "rcpt_to": "in@example.com"`+c.rest+`}`)
			if diff := cmp.Diff(&c.want, e.Mail); diff != "" || e.Type != event.Received || e.ProviderEvent != "HTTPEndpoint" {
				t.Errorf("%s %s, -want +got:\n%s", e.Type, e.ProviderEvent, diff)
			}
			if e.Recipient != "in@example.com" || e.ProviderMessageID != "7" {
				t.Errorf("%q for %q", e.ProviderMessageID, e.Recipient)
			}
		})
	}
}

// TestReports has a mail that came in and is a report on another one, as JSON and as a form.
func TestReports(t *testing.T) {
	t.Parallel()
	text := base64.StdEncoding.EncodeToString([]byte(providertest.ReportMail))
	b := decode(t, "application/json", `{"rcpt_to": "in@example.com", "base64": true, "message": "`+text+`"}`)
	providertest.CheckReport(t, &b)
	b = decode(t, formType, "rcpt_to=in@example.com&base64=true&message="+url.QueryEscape(text))
	providertest.CheckReport(t, &b)
}

const formType = "application/x-www-form-urlencoded"

// TestForms has a mail as a form: the same mail, its oddities, and what is kept of it.
func TestForms(t *testing.T) {
	t.Parallel()
	attachment := func(name string) event.Attachment {
		return event.Attachment{Name: name, Size: 4, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
	}
	for name, c := range map[string]struct {
		body string
		want []event.Attachment
	}{
		"none":                          {`rcpt_to=in%40example.com`, nil},
		"two, one after the other":      {`rcpt_to=in@example.com&attachments[0][filename]=a&attachments[0][data]=dGVzdA==&attachments[1][filename]=b&attachments[1][data]=dGVzdA==`, []event.Attachment{attachment("a"), attachment("b")}},
		"brackets that are escaped":     {`rcpt_to=in@example.com&attachments%5B0%5D%5Bfilename%5D=a&attachments%5B0%5D%5Bdata%5D=dGVzdA%3D%3D%0A`, []event.Attachment{attachment("a")}},
		"mixed":                         {`attachments[7][filename]=b&rcpt_to=in@example.com&attachments[3][data]=dGVzdA==&attachments[7][data]=dGVzdA==&attachments[3][filename]=a`, []event.Attachment{attachment("b"), attachment("a")}},
		"names that are nearly so":      {`rcpt_to=in@example.com&attachments[]=a&attachments[0]=b&attachments[0][a=c&attachment[0][filename]=d`, nil},
		"a value is missing":            {`rcpt_to=in@example.com&cc&to`, nil},
		"quotes in names and in values": {`rcpt_to=in@example.com&"a\"={"b":1}&attachments[0][data]=dGVzdA==&attachments[0]["]=%22`, []event.Attachment{attachment("")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeAs(t, formType+"; charset=utf-8", c.body)
			if diff := cmp.Diff(c.want, e.Mail.Attachments); diff != "" || e.Type != event.Received || e.Recipient != "in@example.com" {
				t.Errorf("%s for %q, -want +got:\n%s", e.Type, e.Recipient, diff)
			}
			if diff := cmp.Diff(e, decodeAs(t, "", string(e.Raw))); diff != "" {
				t.Errorf("what is kept of it is another event:\n%s", diff)
			}
		})
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	const json, none = "application/json", "neither event nor rcpt_to is there"
	for name, c := range map[string]struct{ mediaType, body, want string }{
		"nothing":            {json, ``, "expected a JSON object"},
		"a list":             {json, `[` + about("MessageSent", ``) + `]`, "expected a JSON object"},
		"no name":            {json, `{"uuid": "u", "payload": {}}`, none},
		"a name that is two": {json, `{"event": "MessageSent", "event": "MessageHeld"}`, `the member "event" occurs twice, with different values`},
		"broken off":         {json, `{"event": "MessageSent"`, "invalid JSON: ends early, at byte 23"},
		"a form, they say":   {json, `rcpt_to=a`, "expected a JSON object"},
		"a form of nobody":   {formType, `a=b`, none},
		"a broken form":      {formType, `rcpt_to=%zz`, "the form is not percent-encoded as it should be"},
		"a field twice":      {formType, `rcpt_to=a&rcpt_to=b`, `the member "rcpt_to" occurs twice, with different values`},
		"a file twice":       {formType, `rcpt_to=a&attachments[0][data]=a&attachments[0][data]=b`, `the member "data" occurs twice, with different values`},
		"too many fields":    {formType, strings.Repeat("a=b&", 1001), "more than 1000 fields in one form"},
		"a kept form of two": {json, `{"mediaType":"application/x-www-form-urlencoded","fields":5}`, "expected a form"},
		"a multipart":        {"multipart/form-data; boundary=b", "--b--", "expected a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := decode(t, c.mediaType, c.body)
			if len(b.Events) != 0 || len(b.Undecodable) != 1 || b.Undecodable[0].Reason != c.want {
				t.Errorf("%+v, want %q", b, c.want)
			}
		})
	}
}

// TestIDs has attempts of one event, whose bytes may differ, and mails, which have no id.
func TestIDs(t *testing.T) {
	t.Parallel()
	id := func(body string) string { return decodeOne(t, body).ID }
	sent := about("MessageSent", `, "timestamp": 1767261600.99`)
	if id(sent) != id(strings.Replace(strings.ReplaceAll(sent, ": ", ":"), "1767261601.5", "1767261601.50001", 1)) {
		t.Error("an attempt of other bytes is another event")
	}
	if id(sent) == id(strings.Replace(sent, `"u"`, `"v"`, 1)) {
		t.Error("two events share an id")
	}
	const mail = `{"id": 7, "rcpt_to": "in@example.com", "timestamp": 1767261601.5}`
	for _, other := range []string{strings.Replace(mail, "7", "8", 1), strings.Replace(mail, "in@", "on@", 1), strings.Replace(mail, "1.5", "1.6", 1)} {
		if id(mail) == id(other) {
			t.Errorf("two mails share an id: %s", other)
		}
	}
	form := func(body string) string { return decodeAs(t, formType, body).ID }
	if form(`rcpt_to=a&id=1`) == form(`rcpt_to=a&id=2`) || form(`rcpt_to=a&id=1`) != form(`id=1&rcpt_to=%61`) {
		t.Error("mails in forms are not told apart by what they say")
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"MessageDelayed": event.Deferred, "MessageDeliveryFailed": event.Bounced, "MessageHeld": event.Accepted, "MessageLinkClicked": event.Clicked,
		"MessageLoaded": event.Opened, "MessageSent": event.Delivered, "SendLimitExceeded": event.AccountStatusChanged, "http-endpoint-hash": event.Received,
	}
	for _, path := range providertest.Facts(t, "samples/postal/*.body.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		e := decodeOne(t, read(t, path))
		ofServer := name == "SendLimitExceeded"
		if e.Type != want[name] || (e.Recipient == "") != ofServer || (e.MessageID == "") != ofServer || e.TimeImplausible != e.Time.After(receipt().Add(24*time.Hour)) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
