package mailgun_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

const signatureObject = `"signature": {"timestamp": "1767323045", "token": "a-token-of-mailgun", "signature": "` + foreign + `"}`

func decode(t testing.TB, mediaType, body string) provider.Batch {
	t.Helper()
	return webhook(t, keys).Decode(post(mediaType, body))
}

// one returns the event of a request, and decodes what is kept of it again.
func one(t testing.TB, mediaType, body string) event.Event {
	t.Helper()
	b := decode(t, mediaType, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	if diff := cmp.Diff(b.Events, decode(t, "", string(b.Events[0].Raw)).Events); diff != "" {
		t.Errorf("what is kept is another event:\n%s", diff)
	}
	return b.Events[0]
}

// notice returns a body with an event.
func notice(name, more string) string {
	return `{` + signatureObject + `, "event-data": {"event": "` + name + `", "id": "i1", "timestamp": 1767225600.000002, "recipient": "a@example.com"` + more + `}}`
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"a time with microseconds":                {notice("opened", ""), func(e *event.Event) any { return e.Time }, time.Date(2026, 1, 1, 0, 0, 0, 2000, time.UTC)},
		"a time as a text":                        {strings.Replace(notice("opened", ""), "1767225600.000002", `"1767225600"`, 1), func(e *event.Event) any { return e.Time }, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		"no time":                                 {`{"event-data": {"event": "opened"}}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"tags that are null":                      {notice("opened", `, "tags": null`), func(e *event.Event) any { return len(e.Tags) }, 0},
		"one tag":                                 {notice("opened", `, "tags": "a"`), func(e *event.Event) any { return e.Tags }, []string{"a"}},
		"variables that are an empty list":        {notice("opened", `, "user-variables": []`), func(e *event.Event) any { return len(e.Metadata) }, 0},
		"variables of any kind":                   {notice("opened", `, "user-variables": {"a": 1, "b": "{\"c\": 2}", "d": {"e": 3}, "f": null}`), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "1", "b": `{"c": 2}`, "d": `{"e": 3}`}},
		"variables that are null":                 {notice("opened", `, "user-variables": null`), func(e *event.Event) any { return len(e.Metadata) }, 0},
		"no status of the delivery":               {notice("delivered", `, "delivery-status": null`), func(e *event.Event) any { return []any{e.Type, e.SMTPCode} }, []any{event.Delivered, 0}},
		"no description":                          {notice("failed", `, "severity": "permanent", "delivery-status": {"code": "550", "description": null}`), func(e *event.Event) any { return []any{e.SMTPCode, e.Reason} }, []any{550, ""}},
		"a code of Mailgun's own":                 {notice("failed", `, "severity": "permanent", "delivery-status": {"code": 602, "message": "450 4.2.1 busy"}`), func(e *event.Event) any { return []any{e.SMTPCode, e.EnhancedCode, e.Details["code"]} }, []any{450, "4.2.1", "602"}},
		"a message with a line feed":              {notice("delivered", `, "delivery-status": {"message": "OK\n"}`), func(e *event.Event) any { return e.Diagnostic }, "OK"},
		"where a stored mail is, as a text":       {notice("stored", `, "storage": {"key": "k", "url": "https://example.com/k"}`), func(e *event.Event) any { return []any{e.ProviderMessageID, e.Details["storage-url"]} }, []any{"k", "https://example.com/k"}},
		"where a stored mail is, as a list":       {notice("stored", `, "storage": {"key": ["k"], "url": ["https://example.com/k"]}`), func(e *event.Event) any { return []any{e.ProviderMessageID, e.Details["storage-url"]} }, []any{"k", "https://example.com/k"}},
		"a Message-ID in brackets":                {notice("opened", `, "message": {"headers": {"message-id": "<m@example.com>"}}`), func(e *event.Event) any { return e.MessageID }, "m@example.com"},
		"a sender from the header":                {notice("opened", `, "envelope": {"sender": ""}, "message": {"headers": {"from": "A <A@EXAMPLE.com>"}}`), func(e *event.Event) any { return e.Sender }, "A@example.com"},
		"rejected, to one":                        {`{"event-data": {"event": "rejected", "message": {"headers": {"to": "A <a@example.com>"}}}}`, func(e *event.Event) any { return []any{e.Type, e.Recipient, e.Reject.Reason} }, []any{event.Rejected, "a@example.com", event.OtherReason}},
		"rejected, to two":                        {`{"event-data": {"event": "rejected", "message": {"headers": {"to": "a@example.com, b@example.com"}}}}`, func(e *event.Event) any { return []any{e.Recipient, len(e.Recipients)} }, []any{"", 2}},
		"test mode is the sender's":               {notice("delivered", `, "flags": {"is-test-mode": true}`), func(e *event.Event) any { return []any{e.Type, e.Details["is-test-mode"]} }, []any{event.Delivered, "true"}},
		"Mailgun's own test":                      {notice("delivered", `, "flags": {"is-system-test": true}`), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Test, "delivered"}},
		"deep nesting":                            {notice("opened", `, "user-variables": {"a": `+strings.Repeat("[", 90)+strings.Repeat("]", 90)+`}`), func(e *event.Event) any { return len(e.Metadata["a"]) }, 180},
		"a name that is not known":                {notice("list_member_upload_error", ""), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Unknown, "list_member_upload_error"}},
		"a name in capitals":                      {notice("FAILED", `, "severity": "Temporary"`), func(e *event.Event) any { return e.Type }, event.Deferred},
		"a failure that will be tried again":      {notice("failed", `, "delivery-status": {"retry-seconds": 600}`), func(e *event.Event) any { return e.Type }, event.Deferred},
		"a failure without a word":                {notice("failed", ""), func(e *event.Event) any { return []any{e.Type, e.Bounce} }, []any{event.Bounced, event.Bounce{Type: event.Hard, Category: "other"}}},
		"an account":                              {notice("failed", `, "account": {"id": "x"}`), func(e *event.Event) any { return e.Account }, "x"},
		"no account":                              {notice("failed", `, "account": null`), func(e *event.Event) any { return e.Account }, ""},
		"a stored mail of which little is known":  {notice("stored", ``), func(e *event.Event) any { return []any{e.Type, e.Mail, e.Recipient} }, []any{event.Received, &event.Mail{}, "a@example.com"}},
		"a stored mail with a file of a bad size": {notice("stored", `, "message": {"attachments": [{"size": -1, "filename": "a"}]}`), func(e *event.Event) any { return e.Mail.Attachments }, []event.Attachment{{Name: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := one(t, "application/json", c.body)
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestFailures holds what the reasons of a failure for good mean.
func TestFailures(t *testing.T) {
	t.Parallel()
	hard, soft := event.Hard, event.Soft
	for name, c := range map[string]struct {
		reason, status string
		want           event.Event
	}{
		"a bounce":                         {"bounce", `"code": 550`, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: hard, Category: "other"}}},
		"a bounce of an address":           {"bounce", `"code": 550, "enhanced-code": "5.1.1"`, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: hard, Category: "user_unknown"}}},
		"a bounce by a policy":             {"generic", `"code": 550, "enhanced-code": "5.7.1"`, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: soft, Category: "policy"}}},
		"a bounce that says soft":          {"bounce", `"code": 550, "bounce-type": "soft"`, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: soft, Category: "other"}}},
		"a bounce that says hard":          {"old", `"code": 450, "bounce-type": "Hard"`, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: hard, Category: "connection"}}},
		"a hard failure":                   {"hardfail", `"code": 0`, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: hard, Category: "other"}}},
		"too old":                          {"old", `"code": 602`, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: soft, Category: "connection"}}},
		"a block":                          {"espblock", `"code": 554`, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: soft, Category: "reputation"}}},
		"a list of senders":                {"blacklisted", ``, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: soft, Category: "reputation"}}},
		"a greylist":                       {"greylisted", ``, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: soft, Category: "policy"}}},
		"a word that is new":               {"new", `"code": 452`, event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: soft, Category: "other"}}},
		"bounced before":                   {"suppress-bounce", `"code": 605`, event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.SuppressedBounce}}},
		"complained before":                {"suppress-complaint", `"code": 607`, event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.SuppressedComplaint}}},
		"unsubscribed before":              {"suppress-unsubscribe", `"code": 606`, event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.UnsubscribedAddress}}},
		"bounced before, by the code":      {"generic", `"code": 605`, event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.SuppressedBounce}}},
		"unsubscribed before, by the code": {"", `"code": 606`, event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.UnsubscribedAddress}}},
		"complained before, by the code":   {"", `"code": "607"`, event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.SuppressedComplaint}}},
	} {
		e := one(t, "", notice("failed", `, "severity": "permanent", "reason": "`+c.reason+`", "delivery-status": {`+c.status+`}`))
		if e.Type != c.want.Type || e.Bounce != c.want.Bounce || e.Reject != c.want.Reject || e.Reason != c.reason {
			t.Errorf("%s: %s %+v %+v %q, want %+v", name, e.Type, e.Bounce, e.Reject, e.Reason, c.want)
		}
	}
}

// TestBadBodies has what is authentic, as far as anything of Mailgun is, and cannot be read.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ reason, mediaType, body, want string }{
		"nothing":                 {"", "", "", "expected a form"},
		"a sentence":              {"", "text/plain", "hello", "expected a form"},
		"a list of events":        {"one event in a request", "application/json", "[" + notice("opened", "") + "]", "expected a form"},
		"no event":                {"", "", `{` + signatureObject + `}`, "the member event-data is missing"},
		"an event without name":   {"", "", `{"event-data": {"id": "i1"}}`, "the member event is missing"},
		"an event that is null":   {"", "", `{"event-data": null}`, "the member event is missing"},
		"cut off":                 {"", "", `{"event-data": {"event": "opened"`, "invalid JSON: ends early, at byte 33"},
		"two names for one":       {"nobody knows which counts", "", `{"event-data": {"event": "opened", "event": "clicked"}}`, `the member "event" occurs twice, with different values`},
		"a form of nothing":       {"", formType, "a=1", "the form is neither an event nor a mail"},
		"a recipient and no mail": {"", formType, "recipient=a%40example.com", "the form is neither an event nor a mail"},
		"half an escape":          {"", formType, "event=%f", "the form is not percent-encoded as it should be"},
		"parts without an end":    {"a file is cut off", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"event\"\r\n\r\nopened\r\n", "the multipart body is malformed, or ends early"},
		"a thousand fields":       {"", formType, strings.Repeat("a=1&", 1001), "more than 1000 fields in one form"},
	} {
		b := decode(t, c.mediaType, c.body)
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || b.Undecodable[0].Reason != c.want || string(b.Undecodable[0].Raw) != c.body {
			t.Errorf("%s: %+v, want %q: %s", name, b, c.want, c.reason)
		}
	}
}

// TestNoSignatureIsKept has what signs any body: none of it leaves the house.
func TestNoSignatureIsKept(t *testing.T) {
	t.Parallel()
	const token, value = "a-token-of-mailgun", foreign
	for name, body := range map[string]string{
		formType:           "event=opened&recipient=a%40example.com&timestamp=1&token=" + token + "&signature=" + value,
		"application/json": notice("opened", ""),
		"multipart/form-data; boundary=b": strings.ReplaceAll("--b\nContent-Disposition: form-data; name=\"event\"\n\nopened\n--b\nContent-Disposition: form-data; name=\"token\"\n\n"+token+
			"\n--b\nContent-Disposition: form-data; name=\"signature\"\n\n"+value+"\n--b--\n", "\n", "\r\n"),
	} {
		e := one(t, name, body)
		if kept := string(e.Raw) + e.ProviderEventID; strings.Contains(kept, token) || strings.Contains(kept, value) || e.Metadata != nil {
			t.Errorf("%s: %s, %v", name, e.Raw, e.Metadata)
		}
	}
}

// TestIDs has what is sent again, which is one event whatever it is signed with, and what happens again, which is another.
func TestIDs(t *testing.T) {
	t.Parallel()
	const legacy = "event=opened&recipient=a%40example.com&ip=192.0.2.1&timestamp=1767225600&token=t1&signature=s1"
	opened := notice("opened", "")
	for name, c := range map[string]struct {
		reason, mediaType, one, other string
		same                          bool
	}{
		"signed anew":                  {"the same event", "", opened, strings.Replace(strings.Replace(opened, "1767323045", "1767323999", 1), "a-token", "b-token", 1), true},
		"the id of another day":        {"an id is unique within a day", "", opened, strings.Replace(opened, "1767225600.", "1767312000.", 1), false},
		"one id for two names":         {"Mailgun's own samples have it", "", opened, notice("clicked", ""), false},
		"another microsecond":          {"it is a fact", "", opened, strings.Replace(opened, "000002", "000003", 1), false},
		"another variable":             {"it is a fact", "", opened, notice("opened", `, "user-variables": {"a": 1}`), false},
		"a form with another token":    {"the same event", formType, legacy, strings.Replace(legacy, "t1&signature=s1", "t2&signature=s2", 1), true},
		"a form in another order":      {"the same event", formType, legacy, strings.Replace(strings.TrimPrefix(legacy, "event=opened&"), "ip=", "event=opened&ip=", 1), true},
		"a form of another second":     {"nothing else tells two opens apart", formType, legacy, strings.Replace(legacy, "600", "601", 1), false},
		"a form with another variable": {"it is a fact", formType, legacy, "a=1&" + legacy, false},
	} {
		if same := one(t, c.mediaType, c.one).ID == one(t, c.mediaType, c.other).ID; same != c.same {
			t.Errorf("%s: the same: %v, want %v: %s", name, same, c.same, c.reason)
		}
	}
}
