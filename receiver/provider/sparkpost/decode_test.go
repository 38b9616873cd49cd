package sparkpost_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/sparkpost"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	w, err := sparkpost.Kind().New([]byte(`{}`), provider.Environment{})
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

// item returns an event of a class and a type with more members.
func item(class, name, rest string) string {
	return `{"msys": {"` + class + `": {"type": "` + name + `", "timestamp": "1767261600", "rcpt_to": "a@example.com"` + rest + `}}}`
}

// outcome is what an event says of a message.
func outcome(e event.Event) event.Event {
	return event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
}

func bounced(t event.BounceType, category string) event.Event {
	return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: t, Category: category}}
}

// TestBounceClasses has every documented class, of a refusal at once and of one that is told later.
func TestBounceClasses(t *testing.T) {
	t.Parallel()
	auto, unsubscribed := event.Event{Type: event.Autoresponded}, event.Event{Type: event.Unsubscribed}
	for class, c := range map[string]struct {
		reason string
		want   event.Event
	}{
		"1":   {"SparkPost cannot say", bounced(event.Undetermined, "other")},
		"10":  {"there is no such recipient", bounced(event.Hard, "user_unknown")},
		"20":  {"given up, for now", bounced(event.Soft, "other")},
		"21":  {"DNS", bounced(event.Soft, "connection")},
		"22":  {"full", bounced(event.Soft, "mailbox_full")},
		"23":  {"too large", bounced(event.Soft, "content")},
		"24":  {"no answer in time", bounced(event.Soft, "connection")},
		"25":  {"the customer's own policy says nothing of the address", bounced(event.Soft, "policy")},
		"30":  {"no RCPT", bounced(event.Hard, "user_unknown")},
		"40":  {"a bounce of no class", bounced(event.Soft, "other")},
		"50":  {"a block says nothing of the address", bounced(event.Soft, "reputation")},
		"51":  {"nor does a list of spammers", bounced(event.Soft, "spam")},
		"52":  {"nor does a filter", bounced(event.Soft, "spam")},
		"53":  {"nor does an attachment", bounced(event.Soft, "content")},
		"54":  {"nor does a relay", bounced(event.Soft, "policy")},
		"60":  {"no bounce at all", auto},
		"70":  {"given up, for now", bounced(event.Soft, "other")},
		"80":  {"a subscription by mail", event.Event{Type: event.Resubscribed}},
		"90":  {"and its opposite", unsubscribed},
		"100": {"a question whether one is a person", auto},
		"999": {"it is a bounce, and no more is known", bounced(event.Undetermined, "other")},
		"":    {"it is a bounce, and no more is known", bounced(event.Undetermined, "other")},
	} {
		for _, rest := range []string{`, "bounce_class": "` + class + `"`, `, "bounce_class": ` + strconv.Quote(class) + `, "error_code": ""`} {
			for _, name := range []string{"bounce", "out_of_band", "OUT_OF_BAND"} {
				if diff := cmp.Diff(c.want, outcome(decodeOne(t, item("message_event", name, rest)))); diff != "" {
					t.Errorf("%s, %s: %s: -want +got:\n%s", name, rest, c.reason, diff)
				}
			}
		}
	}
	number := decodeOne(t, item("message_event", "bounce", `, "bounce_class": 22`))
	if diff := cmp.Diff(bounced(event.Soft, "mailbox_full"), outcome(number)); diff != "" {
		t.Errorf("a number in place of a text: -want +got:\n%s", diff)
	}
}

// TestCodes has bounces of no class that is known, by the server's words.
func TestCodes(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]event.Event{
		"550 5.1.1 no such user": bounced(event.Hard, "user_unknown"), "452 4.2.2 full": bounced(event.Soft, "mailbox_full"),
		"554 5.7.1 not you": bounced(event.Soft, "policy"), "550 no": bounced(event.Hard, "other"), "no": bounced(event.Undetermined, "other"),
	} {
		if diff := cmp.Diff(want, outcome(decodeOne(t, item("message_event", "bounce", `, "raw_reason": "`+reply+`"`)))); diff != "" {
			t.Errorf("%s: -want +got:\n%s", reply, diff)
		}
	}
}

// TestTypes has what the samples say in one form alone.
func TestTypes(t *testing.T) {
	t.Parallel()
	rejected := func(reason event.RejectReason) event.Event {
		return event.Event{Type: event.Rejected, Reject: event.Reject{Reason: reason}}
	}
	for name, c := range map[string]struct {
		body string
		want event.Event
	}{
		"a rejection by policy":         {item("message_event", "policy_rejection", `, "raw_reason": "554 blocked"`), rejected(event.PolicyViolation)},
		"a rejection without a reason":  {item("gen_event", "generation_rejection", ``), rejected(event.PolicyViolation)},
		"a suppressed address":          {item("gen_event", "generation_rejection", `, "raw_reason": "554 recipient address Suppressed"`), rejected(event.SuppressedBounce)},
		"one in the shorter words":      {item("message_event", "policy_rejection", `, "reason": "recipient address was suppressed"`), rejected(event.SuppressedBounce)},
		"a type under another class":    {item("message_event", "generation_failure", ``), event.Event{Type: event.Failed}},
		"a type under a class unknown":  {item("new_event", "click", ``), event.Event{Type: event.Clicked}},
		"a type that is new":            {item("track_event", "forwarded", ``), event.Event{Type: event.Unknown}},
		"no type":                       {`{"msys": {"track_event": {"event_id": "1"}}}`, event.Event{Type: event.Unknown}},
		"a class that is empty":         {`{"msys": {"track_event": {}}}`, event.Event{Type: event.Unknown}},
		"the request that tries it":     {`[{"msys": {}}]`, event.Event{Type: event.Test}},
		"the same without a list":       {`{"msys": {}}`, event.Event{Type: event.Test}},
		"a mail that came in":           {`{"msys": {"RELAY_MESSAGE": {"content": {}}}}`, event.Event{Type: event.Received}},
		"an opening of the top":         {item("track_event", "initial_open", ``), event.Event{Type: event.Opened}},
		"what a delay says of a bounce": {item("message_event", "delay", `, "bounce_class": "10"`), event.Event{Type: event.Deferred}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, outcome(decodeOne(t, c.body))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestOddities has what SparkPost's pages and real requests show, and what a change of theirs must not cost.
func TestOddities(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		rest string
		get  func(*event.Event) any
		want any
	}{
		"the case of the recipient":       {`, "raw_rcpt_to": "Jane@Example.COM"`, func(e *event.Event) any { return e.Recipient }, "Jane@example.com"},
		"no recipient in its own case":    {`, "raw_rcpt_to": ""`, func(e *event.Event) any { return e.Recipient }, "a@example.com"},
		"a sender with a name":            {`, "friendly_from": "Shop <b@example.com>"`, func(e *event.Event) any { return e.Sender }, "b@example.com"},
		"a sender of the envelope alone":  {`, "msg_from": "b@example.com"`, func(e *event.Event) any { return e.Sender }, "b@example.com"},
		"numbers as numbers":              {`, "error_code": 550, "num_retries": 0`, func(e *event.Event) any { return []any{e.SMTPCode, e.Details["num_retries"]} }, []any{550, "0"}},
		"codes that differ":               {`, "error_code": "554", "raw_reason": "550 5.1.1 no"`, func(e *event.Event) any { return []any{e.SMTPCode, e.EnhancedCode} }, []any{554, "5.1.1"}},
		"a code that is none":             {`, "error_code": "1", "raw_reason": "550 no"`, func(e *event.Event) any { return e.SMTPCode }, 550},
		"the main account":                {`, "customer_id": "1", "subaccount_id": "0"`, func(e *event.Event) any { return e.Account }, "1"},
		"an account below it":             {`, "customer_id": 1, "subaccount_id": 101`, func(e *event.Event) any { return e.Account }, "1/101"},
		"tags of both kinds":              {`, "campaign_id": "c", "rcpt_tags": ["a", "", "b"]`, func(e *event.Event) any { return e.Tags }, []string{"c", "a", "b"}},
		"no tags":                         {`, "campaign_id": "", "rcpt_tags": null`, func(e *event.Event) any { return e.Tags }, []string(nil)},
		"the sender's own":                {`, "rcpt_meta": {"order": 7, "paid": true, "a": {"b": 1}}`, func(e *event.Event) any { return e.Metadata }, map[string]string{"order": "7", "paid": "true", "a": `{"b": 1}`}},
		"none of it, as PHP writes it":    {`, "rcpt_meta": []`, func(e *event.Event) any { return e.Metadata }, map[string]string(nil)},
		"what fills a template stays raw": {`, "rcpt_subs": {"name": "Jane"}`, func(e *event.Event) any { return []any{e.Metadata, e.Details["name"]} }, []any{map[string]string(nil), ""}},
		"null for an object":              {`, "rcpt_meta": null, "geo_ip": null, "user_agent_parsed": null`, func(e *event.Event) any { return e.Client }, event.Client{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, "["+item("message_event", "delivery", c.rest)+"]")
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" || !e.Time.Equal(at) {
				t.Errorf("%v, -want +got:\n%s", e.Time, diff)
			}
		})
	}
}

// TestTimes has the forms of a time that were seen.
func TestTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2018, 10, 11, 23, 24, 45, 0, time.UTC)
	for text, want := range map[string]time.Time{`"1539300285"`: at, `1539300285`: at, `"2018-10-11T23:24:45.000+00:00"`: at, `"soon"`: received(), `null`: received()} {
		e := decodeOne(t, strings.Replace(item("track_event", "open", ``), `"1767261600"`, text, 1))
		if !e.Time.Equal(want) || e.TimeImplausible != want.Equal(received()) {
			t.Errorf("%s is %v, implausible %v", text, e.Time, e.TimeImplausible)
		}
	}
}

// TestPixels has the two images of a mail: neither is the first opening, and each has an event of its own.
func TestPixels(t *testing.T) {
	t.Parallel()
	top, bottom := decodeOne(t, item("track_event", "initial_open", `, "event_id": "1"`)), decodeOne(t, item("track_event", "open", `, "event_id": "2"`))
	if top.Details["initial"] != "true" || bottom.Details["initial"] != "" || top.ID == bottom.ID {
		t.Errorf("%v, %v", top.Details, bottom.Details)
	}
}

// relay returns a mail that came in, with the members of its content.
func relay(content string) string {
	return `[{"msys": {"relay_message": {"content": {` + content + `}, "rcpt_to": "in@example.com", "msg_from": "a@example.com"}}}]`
}

func TestInbound(t *testing.T) {
	t.Parallel()
	envelope := event.MailEnvelope{From: "a@example.com", To: []string{"in@example.com"}}
	box := func(address string) []event.Mailbox { return []event.Mailbox{{Address: address}} }
	const raw = "To: b@example.com\r\n\r\nhello"
	encoded := base64.StdEncoding.EncodeToString([]byte(raw))
	parsed := event.Mail{Envelope: envelope, To: box("b@example.com"), Text: "hello"}
	for name, c := range map[string]struct {
		content string
		want    event.Mail
	}{
		"nothing":                        {``, event.Mail{Envelope: envelope}},
		"the mail before the rest":       {`"email_rfc822": "To: b@example.com\r\n\r\nhello", "text": "other"`, parsed},
		"in base64":                      {`"email_rfc822": "` + encoded + `", "email_rfc822_is_base64": true`, parsed},
		"in base64, as a text":           {`"email_rfc822": "` + encoded + `", "email_rfc822_is_base64": "true"`, parsed},
		"base64 that is none":            {`"email_rfc822": "!!", "email_rfc822_is_base64": true, "text": "other"`, event.Mail{Envelope: envelope, Text: "other"}},
		"a mail that is none":            {`"email_rfc822": "\r\n", "text": "other"`, event.Mail{Envelope: envelope, Text: "other"}},
		"fields in any case":             {`"headers": [{"from": "c@example.com"}, {"AUTO-SUBMITTED": "auto-replied"}]`, event.Mail{Envelope: envelope, From: box("c@example.com"), AutoSubmitted: "auto-replied"}},
		"several fields in one object":   {`"headers": [{"To": "b@example.com", "Cc": "c@example.com"}]`, event.Mail{Envelope: envelope, To: box("b@example.com"), Cc: box("c@example.com")}},
		"lists in place of fields":       {`"to": ["b@example.com"], "cc": ["c@example.com"]`, event.Mail{Envelope: envelope, To: box("b@example.com"), Cc: box("c@example.com")}},
		"fields before lists":            {`"headers": [{"To": "b@example.com"}], "to": ["c@example.com"]`, event.Mail{Envelope: envelope, To: box("b@example.com")}},
		"headers that are no list":       {`"headers": "none", "to": {}, "cc": null`, event.Mail{Envelope: envelope}},
		"headers that are no objects":    {`"headers": [5, null, {"To": 7}]`, event.Mail{Envelope: envelope, To: box("7")}},
		"a text and a page":              {`"text": "a", "html": "<p>b"`, event.Mail{Envelope: envelope, Text: "a", HTML: "<p>b"}},
		"a multipart without its end":    {`"email_rfc822": "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello"`, event.Mail{Envelope: envelope, Text: "hello"}},
		"a mail in a charset of its own": {`"email_rfc822": "VG86IGJAZXhhbXBsZS5jb20NCkNvbnRlbnQtVHlwZTogdGV4dC9wbGFpbjsgY2hhcnNldD1pc28tODg1OS0xDQoNCuQ=", "email_rfc822_is_base64": true`, event.Mail{Envelope: envelope, To: box("b@example.com"), Text: "ä"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, relay(c.content))
			if diff := cmp.Diff(&c.want, e.Mail); diff != "" || e.Type != event.Received || e.ProviderEvent != "relay_message" {
				t.Errorf("%s %s, -want +got:\n%s", e.Type, e.ProviderEvent, diff)
			}
			if !e.Time.Equal(received()) || !e.TimeImplausible || e.Recipient != "in@example.com" {
				t.Errorf("%v, implausible %v, for %s", e.Time, e.TimeImplausible, e.Recipient)
			}
		})
	}
}

// TestReports has a mail that came in and is a report on another one.
func TestReports(t *testing.T) {
	t.Parallel()
	b := decode(t, relay(`"email_rfc822": "`+base64.StdEncoding.EncodeToString([]byte(providertest.ReportMail))+`", "email_rfc822_is_base64": true`))
	providertest.CheckReport(t, &b)
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	const none, classes = "the member msys is missing, or is no object", "msys must have one member, which is an object"
	for body, want := range map[string]string{
		``: "expected a JSON object or array", `Hello`: "expected a JSON object or array", `{}`: none, `{"msys": null}`: none, `{"msys": []}`: none, `{"msys": "a"}`: none,
		`[5]`: "expected a JSON object", `{"msys": {"track_event": null}}`: classes, `{"msys": {"track_event": "open"}}`: classes, `{"msys": {"track_event": [{}]}}`: classes,
		`{"msys": {"track_event": {"type": "open"}, "message_event": {"type": "delivery"}}}`:  classes,
		`{"msys": {"track_event": {"type": "open"}, "track_event": {"type": "click"}}}`:       classes,
		`{"msys": {"": {"type": "open"}}}`:                                                    classes,
		`{"msys": {"track_event": {"type": "open", "type": "click"}}}`:                        `the member "type" occurs twice, with different values`,
		`{"msys": {"track_event": {"type": "open"}}, "msys": {"track_event": {"type": "a"}}}`: `the member "msys" occurs twice, with different values`,
		`[{"msys": {"track_event": {"type": "open"}}`:                                         "invalid JSON: ends early, at byte 43",
	} {
		b := decode(t, body)
		if len(b.Undecodable) != 1 || b.Undecodable[0].Reason != want || len(b.Events) != 0 {
			t.Errorf("%s: %+v, want %q", body, b, want)
		}
	}
}

// TestBatches has a batch of which one item is broken, and none.
func TestBatches(t *testing.T) {
	t.Parallel()
	if b := decode(t, `[]`); len(b.Events)+len(b.Undecodable) != 0 {
		t.Errorf("an empty batch: %+v", b)
	}
	opened := item("track_event", "open", `, "event_id": "1"`)
	b := decode(t, "["+opened+`, {"msys": 5}, `+item("track_event", "click", `, "event_id": "2"`)+"]")
	if len(b.Events) != 2 || len(b.Undecodable) != 1 || string(b.Undecodable[0].Raw) != `{"msys": 5}` {
		t.Errorf("%d events, undecodable %+v", len(b.Events), b.Undecodable)
	}
}

// TestIDs has events that SparkPost tells apart, and those of which it gives no id.
func TestIDs(t *testing.T) {
	t.Parallel()
	id := func(name, rest string) string { return decodeOne(t, item("track_event", name, rest)).ID }
	if id("open", `, "event_id": "1", "ip_pool": "a"`) != id("OPEN", `, "event_id": 1, "ip_pool": "b"`) {
		t.Error("one event has two ids")
	}
	if id("open", `, "event_id": "92356927693813856"`) == id("open", `, "event_id": "92356927693813857"`) {
		t.Error("two events share an id: digits were lost")
	}
	if id("open", `, "event_id": "1"`) == id("click", `, "event_id": "1"`) {
		t.Error("two kinds of events share an id")
	}
	if id("open", `, "event_id": "", "ip_address": "192.0.2.1"`) == id("open", `, "event_id": "", "ip_address": "192.0.2.2"`) {
		t.Error("without an event_id, two events share an id")
	}
	if decodeOne(t, relay(`"text": "a"`)).ID == decodeOne(t, relay(`"text": "b"`)).ID {
		t.Error("two mails share an id")
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"amp_click": event.Clicked, "amp_initial_open": event.Opened, "amp_open": event.Opened, "bounce-soft": event.Bounced, "bounce": event.Bounced, "click": event.Clicked,
		"delay": event.Deferred, "delivery": event.Delivered, "generation_rejection": event.Rejected, "injection": event.Accepted, "list_unsubscribe": event.Unsubscribed,
		"open": event.Opened, "out_of_band": event.Bounced, "ping": event.Test, "policy_rejection": event.Rejected, "relay_message": event.Received, "spam_complaint": event.Complained,
	}
	for _, path := range providertest.Facts(t, "samples/sparkpost/*.body.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		e := decodeOne(t, string(body))
		untimed := name == "ping" || name == "relay_message"
		if e.Type != want[name] || (e.Recipient == "") != (name == "ping") || (e.TimeRaw == "") != untimed || (e.ProviderEventID == "") != untimed {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
