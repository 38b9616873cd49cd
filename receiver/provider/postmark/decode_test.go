package postmark_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/postmark"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	w, err := postmark.Kind().New([]byte(`{}`), provider.Environment{})
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

func record(recordType, rest string) string {
	return `{"RecordType": "` + recordType + `", "MessageID": "m1"` + rest + `}`
}

// TestBounceTypes has every documented Type, by its name and by its code alone.
func TestBounceTypes(t *testing.T) {
	t.Parallel()
	bounced := func(t event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: t, Category: category}}
	}
	rejected := func(reason event.RejectReason) event.Event {
		return event.Event{Type: event.Rejected, Reject: event.Reject{Reason: reason}}
	}
	for _, c := range []struct {
		name, code, reason string
		want               event.Event
	}{
		{"HardBounce", "1", "there is no such mailbox", bounced(event.Hard, "user_unknown")},
		{"Transient", "2", "Postmark tries again", event.Event{Type: event.Deferred}},
		{"Unsubscribe", "16", "an unsubscription by mail", event.Event{Type: event.Unsubscribed}},
		{"Subscribe", "32", "and its opposite", event.Event{Type: event.Resubscribed}},
		{"AutoResponder", "64", "no bounce at all", event.Event{Type: event.Autoresponded}},
		{"AddressChange", "128", "no bounce at all", event.Event{Type: event.Autoresponded}},
		{"DnsError", "256", "Postmark tries again", event.Event{Type: event.Deferred}},
		{"SpamNotification", "512", "a refusal of the message, not of the address", bounced(event.Soft, "spam")},
		{"OpenRelayTest", "1024", "Postmark tries again", event.Event{Type: event.Deferred}},
		{"Unknown", "2048", "Postmark cannot say", bounced(event.Undetermined, "other")},
		{"SoftBounce", "4096", "it may pass later", bounced(event.Soft, "other")},
		{"VirusNotification", "8192", "a refusal of the message, not of the address", bounced(event.Soft, "content")},
		{"ChallengeVerification", "16384", "no bounce at all", event.Event{Type: event.Autoresponded}},
		{"BadEmailAddress", "100000", "never attempted", rejected(event.InvalidAddress)},
		{"SpamComplaint", "100001", "a complaint", event.Event{Type: event.Complained}},
		{"ManuallyDeactivated", "100002", "never attempted", rejected(event.OtherReason)},
		{"Unconfirmed", "100003", "never attempted", rejected(event.OtherReason)},
		{"Blocked", "100006", "a block says nothing of the address", bounced(event.Soft, "reputation")},
		{"SMTPApiError", "100007", "never attempted", rejected(event.OtherReason)},
		{"InboundError", "100008", "mail that came in and could not be passed on", event.Event{Type: event.Failed}},
		{"DMARCPolicy", "100009", "a policy says nothing of the address", bounced(event.Soft, "policy")},
		{"TemplateRenderingFailed", "100010", "there is no message", event.Event{Type: event.Failed}},
		{"Vanished", "7", "it is a bounce, and no more is known", bounced(event.Undetermined, "other")},
	} {
		for _, body := range []string{
			`, "Type": "` + c.name + `"`, `, "Type": "` + strings.ToUpper(c.name) + `", "TypeCode": 0`,
			`, "TypeCode": ` + c.code, `, "Type": "SomethingNew", "TypeCode": "` + c.code + `"`,
		} {
			e := decodeOne(t, record("Bounce", body))
			got := event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s: -want +got:\n%s", body, c.reason, diff)
			}
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	const none = "00000000-0000-0000-0000-000000000000"
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"a time with seven digits and an offset": {record("Bounce", `, "BouncedAt": "2014-08-01T13:28:10.2735393-04:00"`), func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{time.Date(2014, 8, 1, 17, 28, 10, 273539300, time.UTC), false}},
		"an id of 64 bits":                       {record("Bounce", `, "ID": 9223372036854775807`), func(e *event.Event) any { return e.ProviderEventID }, "9223372036854775807"},
		"ServerId":                               {record("Bounce", `, "ServerId": 23`), func(e *event.Event) any { return e.Account }, "23"},
		"a status in the server's words":         {record("Bounce", `, "Type": "SoftBounce", "Details": "smtp;452 4.2.2 Mailbox full"`), func(e *event.Event) any { return []any{e.SMTPCode, e.EnhancedCode, e.Bounce.Category} }, []any{452, "4.2.2", "mailbox_full"}},
		"a type that is new, with a status":      {record("Bounce", `, "Type": "Vanished", "Details": "smtp;550 5.1.1 No such user"`), func(e *event.Event) any { return e.Bounce }, event.Bounce{Type: event.Hard, Category: "user_unknown"}},
		"no tag":                                 {record("Delivery", `, "Tag": null`), func(e *event.Event) any { return len(e.Tags) }, 0},
		"a number in the metadata":               {record("Delivery", `, "Metadata": {"n": 5, "Tag": "x"}, "Tag": "t"`), func(e *event.Event) any { return []any{e.Metadata, e.Tags} }, []any{map[string]string{"n": "5", "Tag": "x"}, []string{"t"}}},
		"no place":                               {record("Open", `, "Geo": null, "Client": "", "OS": []`), func(e *event.Event) any { return []any{e.Type, e.IP} }, []any{event.Opened, ""}},
		"a record in another case":               {record("SPAMCOMPLAINT", ``), func(e *event.Event) any { return []any{e.Type, e.Bounce} }, []any{event.Complained, event.Bounce{}}},
		"a record that is not known":             {record("Teleport", ``), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Unknown, "Teleport"}},
		"the first bounces had no type":          {`{"BouncedAt": "2014-08-01T13:28:10Z", "Type": "HardBounce"}`, func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Bounced, "Bounce"}},
		"nor had the first deliveries":           {`{"DeliveredAt": "2014-08-01T13:28:10Z"}`, func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Delivered, "Delivery"}},
		"nor opens":                              {`{"ReceivedAt": "2014-08-01T13:28:10Z", "FirstOpen": true}`, func(e *event.Event) any { return []any{e.Type, e.Details["first"]} }, []any{event.Opened, "true"}},
		"nor clicks":                             {`{"ReceivedAt": "2014-08-01T13:28:10Z", "OriginalLink": "https://example.com"}`, func(e *event.Event) any { return []any{e.Type, e.URL} }, []any{event.Clicked, "https://example.com"}},
		"a change that says not what":            {record("SubscriptionChange", `, "Origin": "Recipient"`), func(e *event.Event) any { return e.Type }, event.Unknown},
		"a suppression by nobody":                {record("SubscriptionChange", `, "SuppressSending": true, "SuppressionReason": "ManualSuppression"`), func(e *event.Event) any { return e.Type }, event.SuppressionAdded},
		"a test":                                 {`{"RecordType": "Bounce", "Type": "HardBounce", "MessageID": "` + none + `", "Email": "john@example.com"}`, func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Test, "Bounce"}},
		"a test of another record":               {`{"RecordType": "Open", "MessageID": "` + none + `", "Recipient": "john@EXAMPLE.com"}`, func(e *event.Event) any { return e.Type }, event.Test},
		"no message, and somebody":               {`{"RecordType": "SubscriptionChange", "MessageID": "` + none + `", "Recipient": "john@example.de", "SuppressSending": true}`, func(e *event.Event) any { return e.Type }, event.SuppressionAdded},
		"a message, and nobody":                  {`{"RecordType": "Delivery", "MessageID": "m1", "Recipient": "john@example.com"}`, func(e *event.Event) any { return e.Type }, event.Delivered},
		"one in a list":                          {"[" + record("Delivery", ``) + "]", func(e *event.Event) any { return e.Type }, event.Delivered},
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

func TestInbound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rest string
		want event.Mail
	}{
		"nothing":                    {``, event.Mail{}},
		"addresses as texts":         {`, "To": "\"Doe, J\" <j@example.com>, k@example.com"`, event.Mail{To: []event.Mailbox{{Address: "j@example.com", Name: "Doe, J"}, {Address: "k@example.com"}}}},
		"attachments of a test":      {`, "Attachments": [{"Name": "a.txt", "Data": "dGVzdA=="}]`, event.Mail{Attachments: []event.Attachment{{Name: "a.txt", Size: 4, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}}}},
		"base64 that is none":        {`, "Attachments": [{"Name": "a.txt", "Content": "!!"}]`, event.Mail{Attachments: []event.Attachment{{Name: "a.txt"}}}},
		"a report has no sender":     {`, "Headers": [{"Name": "Return-Path", "Value": "<>"}, {"Name": "Auto-Submitted", "Value": "auto-replied"}]`, event.Mail{AutoSubmitted: "auto-replied"}},
		"header fields in any case":  {`, "Headers": [{"Name": "RETURN-PATH", "Value": "a@example.com"}, {"Name": "x-spam-status", "Value": "Yes, score=9"}]`, event.Mail{Envelope: event.MailEnvelope{From: "a@example.com"}, Spam: event.Spam{Verdict: "yes"}}},
		"a raw mail that is none":    {`, "RawEmail": "\r\n", "TextBody": "hello"`, event.Mail{Text: "hello"}},
		"a raw mail before the rest": {`, "RawEmail": "To: b@example.com\r\n\r\nhello", "TextBody": "other"`, event.Mail{To: []event.Mailbox{{Address: "b@example.com"}}, Text: "hello"}},
		"headers that are no list":   {`, "Headers": "none", "Attachments": null, "ToFull": {}`, event.Mail{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, `{"FromFull": {}, "MessageID": "m1"`+c.rest+`}`)
			if diff := cmp.Diff(&c.want, e.Mail); diff != "" || e.Type != event.Received || e.ProviderEvent != "Inbound" {
				t.Errorf("%s %s, -want +got:\n%s", e.Type, e.ProviderEvent, diff)
			}
			if !e.Time.Equal(received()) || !e.TimeImplausible {
				t.Errorf("time %v, implausible %v: Postmark tells none", e.Time, e.TimeImplausible)
			}
		})
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``: "expected a JSON object or array", `Hello`: "expected a JSON object or array", `{"MessageID": "m1"}`: "neither RecordType nor a member that tells one is there",
		`{"RecordType": "Open"`: "invalid JSON: ends early, at byte 21", `{"RecordType": "Open", "RecordType": "Click"}`: `the member "RecordType" occurs twice, with different values`,
		`{"RecordType": {"a": 1}}`: "neither RecordType nor a member that tells one is there", `[5]`: "expected a JSON object",
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
	const opened = `{"RecordType": "Open", "MessageID": "m1", "Recipient": "a@example.com", "ReceivedAt": "2026-01-01T10:00:00Z", "FirstOpen": true}`
	for what, other := range map[string]string{
		"the record": strings.Replace(opened, "Open", "Click", 1), "the recipient": strings.Replace(opened, "a@", "b@", 1), "being the first": strings.Replace(opened, "true", "false", 1),
		"the time": strings.Replace(opened, "10:00:00", "10:00:01", 1), "the place": strings.Replace(opened, `"FirstOpen"`, `"Geo": {"IP": "192.0.2.1"}, "FirstOpen"`, 1),
	} {
		if decodeOne(t, opened).ID == decodeOne(t, other).ID {
			t.Errorf("two events that differ in %s share an id", what)
		}
	}
	if decodeOne(t, opened).ID != decodeOne(t, strings.ReplaceAll(opened, `": `, `":`)).ID {
		t.Error("one event in other bytes has two ids")
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event, as a test and as what it would be about a message.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"delivery": event.Delivered, "bounce": event.Bounced, "bounce-softbounce": event.Bounced, "bounce-dmarcpolicy": event.Bounced, "bounce-transient": event.Deferred,
		"bounce-smtpapierror": event.Rejected, "open": event.Opened, "link_click": event.Clicked, "inbound": event.Received,
		"subscription_change": event.SuppressionAdded, "subscription_change-manual": event.Unsubscribed,
	}
	for _, path := range providertest.Facts(t, "samples/postmark/*.body.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if e := decodeOne(t, string(body)); (e.Type == event.Test) != (name != "inbound") {
			t.Errorf("%s as it is: %s", name, e.Type)
		}
		e := decodeOne(t, strings.Replace(string(body), "00000000-0000", "b7bc2f4a-0000", 1))
		if e.Type != want[name] || e.Recipient == "" || e.ProviderMessageID == "" || e.TimeImplausible != (name == "inbound" || name == "bounce-transient") {
			t.Errorf("%s: %s of %q, message %q, implausible %v; want %s", name, e.Type, e.Recipient, e.ProviderMessageID, e.TimeImplausible, want[name])
		}
	}
}

// TestReports has a mail that came in and is a report on another one.
func TestReports(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(providertest.ReportMail)
	if err != nil {
		t.Fatal(err)
	}
	b := decode(t, `{"FromFull": {}, "MessageID": "m1", "RawEmail": `+string(raw)+`}`)
	providertest.CheckReport(t, &b)
}
