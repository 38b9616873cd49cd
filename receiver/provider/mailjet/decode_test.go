package mailjet_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailjet"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	w, err := mailjet.Kind().New([]byte(`{}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w.Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// item returns an event of a name with more members.
func item(name, rest string) string {
	return `{"event": "` + name + `", "time": 1767261600, "MessageID": 1, "email": "a@example.com"` + rest + `}`
}

// outcome is what an event says of a message.
func outcome(e event.Event) event.Event {
	return event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
}

func bounced(t event.BounceType, category string) event.Event {
	return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: t, Category: category}}
}

func rejected(reason event.RejectReason) event.Event {
	return event.Event{Type: event.Rejected, Reject: event.Reject{Reason: reason}}
}

// TestErrors has every documented error, of a bounce that does not say whether it is hard and of a message that was not sent.
func TestErrors(t *testing.T) {
	t.Parallel()
	failed := event.Event{Type: event.Failed}
	for _, c := range []struct {
		relatedTo, name string
		bounce, blocked event.Event
	}{
		{"recipient", "user unknown", bounced(event.Hard, "user_unknown"), rejected(event.InvalidAddress)},
		{"recipient", "mailbox inactive", bounced(event.Hard, "user_unknown"), rejected(event.OtherReason)},
		{"recipient", "quota exceeded", bounced(event.Soft, "mailbox_full"), rejected(event.OtherReason)},
		{"recipient", "blacklisted", bounced(event.Undetermined, "other"), rejected(event.OtherReason)},
		{"recipient", "spam reporter", bounced(event.Soft, "suppressed"), rejected(event.SuppressedComplaint)},
		{"domain", "invalid domain", bounced(event.Hard, "user_unknown"), rejected(event.InvalidAddress)},
		{"domain", "no mail host", bounced(event.Undetermined, "connection"), rejected(event.OtherReason)},
		{"domain", "relay/access denied", bounced(event.Soft, "policy"), rejected(event.OtherReason)},
		{"domain", "greylisted", event.Event{Type: event.Deferred}, rejected(event.OtherReason)},
		{"domain", "typofix", bounced(event.Hard, "user_unknown"), rejected(event.InvalidAddress)},
		{"content", "bad or empty template", bounced(event.Undetermined, "other"), failed},
		{"content", "error in template language", bounced(event.Undetermined, "other"), failed},
		{"spam", "sender blocked", bounced(event.Soft, "reputation"), rejected(event.OtherReason)},
		{"spam", "content blocked", bounced(event.Soft, "content"), rejected(event.OtherReason)},
		{"spam", "policy issue", bounced(event.Soft, "policy"), rejected(event.OtherReason)},
		{"system", "system issue", bounced(event.Soft, "connection"), rejected(event.OtherReason)},
		{"system", "protocol issue", bounced(event.Soft, "connection"), rejected(event.OtherReason)},
		{"system", "connection issue", bounced(event.Soft, "connection"), rejected(event.OtherReason)},
		{"mailjet", "preblocked", bounced(event.Undetermined, "suppressed"), rejected(event.SuppressedBounce)},
		{"mailjet", "duplicate in campaign", bounced(event.Undetermined, "other"), rejected(event.PolicyViolation)},
		{"mailjet", "struck by lightning", bounced(event.Undetermined, "other"), rejected(event.OtherReason)},
		{"", "", bounced(event.Undetermined, "other"), rejected(event.OtherReason)},
	} {
		where := `, "error_related_to": "` + c.relatedTo + `", "error": `
		for _, more := range []string{
			where + strconv.Quote(c.name), where + strconv.Quote(strings.ToUpper(c.name)),
			`, "error": "", "error_related_to": ` + strconv.Quote(c.name), `, "error": null, "error_related_to": ` + strconv.Quote(c.name),
		} {
			if diff := cmp.Diff(c.bounce, outcome(decodeOne(t, item("bounce", more)))); diff != "" {
				t.Errorf("a bounce, %s: -want +got:\n%s", more, diff)
			}
			if diff := cmp.Diff(c.blocked, outcome(decodeOne(t, item("blocked", more)))); diff != "" {
				t.Errorf("not sent, %s: -want +got:\n%s", more, diff)
			}
		}
	}
}

// TestBounces has what decides where Mailjet, its error and the server's words say different things.
func TestBounces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rest string
		want event.Event
	}{
		"Mailjet says hard":              {`, "hard_bounce": true, "error": "quota exceeded"`, bounced(event.Hard, "mailbox_full")},
		"Mailjet says soft":              {`, "hard_bounce": false, "error": "user unknown"`, bounced(event.Soft, "user_unknown")},
		"as a text":                      {`, "hard_bounce": "true"`, bounced(event.Hard, "other")},
		"as a number":                    {`, "hard_bounce": 1`, bounced(event.Hard, "other")},
		"as another number":              {`, "hard_bounce": 0, "error": "user unknown"`, bounced(event.Soft, "user_unknown")},
		"the error is in the other one":  {`, "hard_bounce": false, "error_related_to": "policy issue", "error": ""`, bounced(event.Soft, "policy")},
		"greylisted, and given up":       {`, "hard_bounce": true, "error": "greylisted"`, bounced(event.Hard, "connection")},
		"greylisted":                     {`, "hard_bounce": false, "error": "greylisted"`, event.Event{Type: event.Deferred}},
		"greylisted, in the other one":   {`, "hard_bounce": false, "error": "", "error_related_to": "greylisted"`, event.Event{Type: event.Deferred}},
		"no error, the server says hard": {`, "comment": "550 5.1.1 no such user"`, bounced(event.Hard, "user_unknown")},
		"no error, the server says soft": {`, "comment": "452 4.2.2 full", "error": null, "error_related_to": ""`, bounced(event.Soft, "mailbox_full")},
		"null":                           {`, "hard_bounce": null, "blocked": null, "comment": null`, bounced(event.Undetermined, "other")},
		"an object":                      {`, "hard_bounce": {}, "error": ["a"]`, bounced(event.Undetermined, "other")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, outcome(decodeOne(t, item("bounce", c.rest)))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestOddities has what Mailjet's pages and real requests show, and what a change of theirs must not cost.
func TestOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"ids beyond what a float holds":   {`{"event": "open", "MessageID": 104427216766056451}`, func(e *event.Event) any { return e.ProviderMessageID }, "104427216766056451"},
		"a name in capitals":              {item("SENT", ``), func(e *event.Event) any { return e.Type }, event.Delivered},
		"a name that is new":              {item("archived", ``), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Unknown, "archived"}},
		"a time as a text":                {strings.Replace(item("open", ``), "1767261600", `"1767261600"`, 1), func(e *event.Event) any { return e.Time }, time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)},
		"no time":                         {`{"event": "open", "time": null}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"the old form of a reply":         {item("sent", `, "smtp_reply": "sent (250 2.0.0 OK)"`), func(e *event.Event) any { return []any{e.SMTPCode, e.EnhancedCode, e.Diagnostic} }, []any{250, "2.0.0", "250 2.0.0 OK"}},
		"no reply":                        {item("sent", `, "smtp_reply": ""`), func(e *event.Event) any { return e.SMTPCode }, 0},
		"no campaign":                     {item("sent", `, "customcampaign": ""`), func(e *event.Event) any { return e.Tags }, []string(nil)},
		"a payload of JSON":               {item("sent", `, "Payload": "{\"order\": 7, \"Ärger\": \"ja\", \"a\": {\"b\": 1}, \"none\": null}"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"order": "7", "Ärger": "ja", "a": `{"b": 1}`}},
		"a payload that is JSON":          {item("sent", `, "Payload": {"order": 7}`), func(e *event.Event) any { return e.Metadata }, map[string]string{"order": "7"}},
		"a payload that is nearly JSON":   {item("sent", `, "Payload": "{'message': 'hello'}"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"Payload": "{'message': 'hello'}"}},
		"a payload that is a list":        {item("sent", `, "Payload": "[1, 2]"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"Payload": "[1, 2]"}},
		"a payload that is a number":      {item("sent", `, "Payload": 12`), func(e *event.Event) any { return e.Metadata }, map[string]string{"Payload": "12"}},
		"no payload":                      {item("sent", `, "Payload": ""`), func(e *event.Event) any { return e.Metadata }, map[string]string(nil)},
		"a name twice within the payload": {item("sent", `, "Payload": "{\"a\": 1, \"a\": 2}"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "2"}},
		"a complaint":                     {item("spam", `, "source": "JMRPP"`), func(e *event.Event) any { return []any{e.Type, e.Complaint.FeedbackType, e.Details["source"]} }, []any{event.Complained, "", "JMRPP"}},
		"an unsubscription":               {item("unsub", `, "mj_list_id": 0`), func(e *event.Event) any { return []any{e.Type, e.Details["mj_list_id"]} }, []any{event.Unsubscribed, "0"}},
		"an event that also has headers":  {item("open", `, "Headers": {"To": "a@example.com"}`), func(e *event.Event) any { return e.Type }, event.Opened},
		"one event in a list":             {"[" + item("click", `, "url": "https://example.com/"`) + "]", func(e *event.Event) any { return []any{e.Type, e.URL} }, []any{event.Clicked, "https://example.com/"}},
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

// TestGroups has the second version of Mailjet's webhooks: lists, of all that happened within a second.
func TestGroups(t *testing.T) {
	t.Parallel()
	if b := decode(t, `[]`); len(b.Events)+len(b.Undecodable) != 0 {
		t.Errorf("an empty group: %+v", b)
	}
	b := decode(t, "["+item("open", ``)+`, {"event": 5, "event": 6}, 7, {"Payload": ""}, `+item("open", ``)+", "+item("click", ``)+"]")
	if len(b.Events) != 3 || len(b.Undecodable) != 3 {
		t.Fatalf("%d events, undecodable %+v", len(b.Events), b.Undecodable)
	}
	if b.Events[0].ID == b.Events[1].ID || b.Events[0].ID == b.Events[2].ID {
		t.Error("two openings of one second are one")
	}
	again := decode(t, "["+item("click", ``)+", "+item("open", ``)+", "+item("open", ``)+"]")
	if again.Events[1].ID != b.Events[0].ID || again.Events[2].ID != b.Events[1].ID || again.Events[0].ID != b.Events[2].ID {
		t.Error("the same events among others have other ids")
	}
}

func TestInbound(t *testing.T) {
	t.Parallel()
	const logo = `"Attachment1": "dGVzdA==", "Parts": [{"ContentRef": "Attachment1", "Headers": {`
	test := event.Attachment{Size: 4, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
	described := func(name, mediaType string) event.Mail {
		a := test
		a.Name, a.MediaType = name, mediaType
		return event.Mail{Attachments: []event.Attachment{a}}
	}
	for name, c := range map[string]struct {
		body string
		want event.Mail
	}{
		"nothing":                       {`"Recipient": ""`, event.Mail{}},
		"the envelope alone":            {`"Sender": "A@Example.COM", "Recipient": "<b@example.com>"`, event.Mail{Envelope: event.MailEnvelope{From: "A@example.com", To: []string{"b@example.com"}}}},
		"a report has no sender":        {`"Sender": "", "Headers": {"Auto-Submitted": "auto-replied"}`, event.Mail{AutoSubmitted: "auto-replied"}},
		"the date of the header":        {`"Date": "20260101T100000", "Headers": {"Date": ["Thu, 01 Jan 2026 11:30:00 +0100"]}`, event.Mail{Date: time.Date(2026, 1, 1, 10, 30, 0, 0, time.UTC)}},
		"the date that Mailjet read":    {`"Date": "20260101T100000", "Headers": {"Date": "yesterday"}`, event.Mail{Date: time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)}},
		"no date":                       {`"Date": "20261301T100000", "Headers": {}`, event.Mail{}},
		"header fields in any case":     {`"Headers": {"to": ["b@example.com"], "REPLY-TO": "c@example.com"}`, event.Mail{To: []event.Mailbox{{Address: "b@example.com"}}, ReplyTo: []event.Mailbox{{Address: "c@example.com"}}}},
		"From in the header alone":      {`"Headers": {"From": "A <a@example.com>"}`, event.Mail{From: []event.Mailbox{{Address: "a@example.com", Name: "A"}}}},
		"headers that are none":         {`"Recipient": "", "Headers": "none", "Parts": "none"`, event.Mail{}},
		"an attachment without a part":  {`"Headers": {}, "Attachment1": "dGVzdA=="`, event.Mail{Attachments: []event.Attachment{test}}},
		"a part without an attachment":  {`"Headers": {}, "Parts": [{"ContentRef": "Attachment1", "Headers": {}}]`, event.Mail{}},
		"many parts of one attachment":  {`"Headers": {}, ` + logo + `}}, {"ContentRef": "Attachment1", "Headers": {}}]`, event.Mail{Attachments: []event.Attachment{test}}},
		"base64 that is none":           {`"Headers": {}, "InlineAttachment1": "!!"`, event.Mail{Attachments: []event.Attachment{{}}}},
		"the name of a type":            {`"Headers": {}, ` + logo + `"content-type": "text/csv; name=\"a.csv\""}}]`, described("a.csv", "text/csv")},
		"the name of a disposition":     {`"Headers": {}, ` + logo + `"Content-Disposition": "attachment; filename*=UTF-8''%C3%A4.csv"}}]`, described("ä.csv", "")},
		"an encoded name":               {`"Headers": {}, ` + logo + `"Content-Disposition": ["attachment; filename=\"=?UTF-8?Q?=C3=A4.csv?=\""]}}]`, described("ä.csv", "")},
		"a media type that is none":     {`"Headers": {}, ` + logo + `"Content-Type": "a/b/c; ="}}]`, event.Mail{Attachments: []event.Attachment{test}}},
		"a charset that nobody can say": {`"Headers": {}, ` + logo + `"Content-Type": "text/plain; name=\"=?nothing?Q?a?=\""}}]`, described("=?nothing?Q?a?=", "text/plain")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, "{"+c.body+"}")
			if diff := cmp.Diff(&c.want, e.Mail); diff != "" || e.Type != event.Received || e.ProviderEvent != "parse" {
				t.Errorf("%s %s, -want +got:\n%s", e.Type, e.ProviderEvent, diff)
			}
			if !e.Time.Equal(received()) || !e.TimeImplausible || e.TimeRaw != "" {
				t.Errorf("time %v, implausible %v, %q: Mailjet tells none", e.Time, e.TimeImplausible, e.TimeRaw)
			}
		})
	}
}

// TestRecipients has who a mail is for: the recipient of the envelope, whoever else it names.
func TestRecipients(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, recipient string
		recipients      []string
	}{
		"the envelope first": {`"Recipient": "in@example.com", "Headers": {"To": "a@example.com, in@example.com", "Cc": "b@example.com"}`, "in@example.com", []string{"in@example.com", "a@example.com", "b@example.com"}},
		"no envelope":        {`"Headers": {"To": "a@example.com"}`, "a@example.com", []string{"a@example.com"}},
		"no one":             {`"Headers": {}`, "", nil},
	} {
		e := decodeOne(t, "{"+c.body+"}")
		if e.Recipient != c.recipient || !cmp.Equal(e.Recipients, c.recipients) {
			t.Errorf("%s: %q of %q", name, e.Recipient, e.Recipients)
		}
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	const none = "neither event nor a member of a mail that came in is there"
	for body, want := range map[string]string{
		``: "expected a JSON object or array", `Hello`: "expected a JSON object or array", `{}`: none, `{"event": null}`: none, `{"event": {"a": 1}}`: none,
		`{"event": "open"`: "invalid JSON: ends early, at byte 16", `{"event": "open", "event": "click"}`: `the member "event" occurs twice, with different values`,
		// The sample of a bounce on Mailjet's page lacks a comma.
		`{"event": "bounce", "error": "user unknown" "comment": ""}`: "invalid JSON: syntax error at byte 44 (expecting ',' or '}')",
		`event=open`: "expected a JSON object or array",
	} {
		b := decode(t, body)
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || b.Undecodable[0].Reason != want {
			t.Errorf("%s: %+v, want %q", body, b, want)
		}
	}
}

// TestIDs has two facts that differ in little, and one that is told twice.
func TestIDs(t *testing.T) {
	t.Parallel()
	opened := item("open", `, "ip": "192.0.2.1", "mj_list_id": 1, "url": "https://example.com/"`)
	for what, other := range map[string]string{
		"the name": strings.Replace(opened, "open", "click", 1), "the message": strings.Replace(opened, `"MessageID": 1`, `"MessageID": 2`, 1),
		"the recipient": strings.Replace(opened, "a@", "b@", 1), "the time": strings.Replace(opened, "600,", "601,", 1), "the place": strings.Replace(opened, "192.0.2.1", "192.0.2.2", 1),
		"the list": strings.Replace(opened, `"mj_list_id": 1`, `"mj_list_id": 2`, 1), "the link": strings.Replace(opened, "com/", "com/a", 1),
	} {
		if other == opened {
			t.Fatalf("%s is the same", what)
		}
		if decodeOne(t, opened).ID == decodeOne(t, other).ID {
			t.Errorf("two events that differ in %s share an id", what)
		}
	}
	if decodeOne(t, opened).ID != decodeOne(t, "["+strings.ReplaceAll(opened, `": `, `":`)+"]").ID {
		t.Error("one event in other bytes, and in a list, has two ids")
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Event{
		"blocked-spamreporter.v1": rejected(event.SuppressedComplaint), "blocked.v1": rejected(event.SuppressedBounce), "bounce-hard.v1": bounced(event.Hard, "user_unknown"),
		"click.v1": {Type: event.Clicked}, "open.v1": {Type: event.Opened}, "parse": {Type: event.Received}, "sent.v1": {Type: event.Delivered},
		"spam.v1": {Type: event.Complained}, "unsub.v1": {Type: event.Unsubscribed},
	}
	for _, path := range providertest.Facts(t, "samples/mailjet/*.body.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		e := decodeOne(t, string(body))
		if diff := cmp.Diff(want[name], outcome(e)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if e.Recipient == "" || e.CorrelationID != "helloworld" || (e.ProviderMessageID == "") != (name == "parse") || e.TimeImplausible != (name == "parse") {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
