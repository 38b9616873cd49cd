package tencentses_test

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
	"github.com/mailvane/mailvane/receiver/provider/tencentses"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	w, err := tencentses.Kind().New([]byte(`{}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w.Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

// one returns the event of a request, and decodes what is kept of it again.
func one(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable)+b.Refused != 0 {
		t.Fatalf("%s: %d events, undecodable %+v; want one event", body, len(b.Events), b.Undecodable)
	}
	if diff := cmp.Diff(b.Events, decode(t, string(b.Events[0].Raw)).Events); diff != "" {
		t.Errorf("what is kept is another event:\n%s", diff)
	}
	return b.Events[0]
}

// notice returns an event with more members.
func notice(name, more string) string {
	return `{"event": "` + name + `", "email": "a@example.com", "bulkId": "b", "timestamp": 1767225600` + more + `}`
}

func TestTypes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]event.Type{
		"processed": event.Accepted, "deferred": event.Deferred, "delivered": event.Delivered, "dropped": event.Rejected, "bounce": event.Bounced, "open": event.Opened,
		"click": event.Clicked, "spamreport": event.Complained, "unsubscribe": event.Unsubscribed, "SpamReport": event.Complained, "teleported": event.Unknown,
	} {
		if e := one(t, notice(name, "")); e.Type != want || e.ProviderEvent != name || e.Recipient != "a@example.com" || e.ProviderMessageID != "b" {
			t.Errorf("%s: %+v; want %s", name, e, want)
		}
	}
	for number, want := range map[string]event.Type{
		"1": event.Delivered, "2": event.Rejected, "3": event.Bounced, "4": event.Opened, "5": event.Clicked, "6": event.Complained, "7": event.Unsubscribed, `"8"`: event.Deferred, "9": event.Unknown,
	} {
		if e := one(t, `{"eventid": `+number+`}`); e.Type != want || e.ProviderEvent != strings.Trim(number, `"`) {
			t.Errorf("the number %s: %s of %q; want %s", number, e.Type, e.ProviderEvent, want)
		}
	}
}

// TestBounces has what Tencent says of a bounce before what the server says.
func TestBounces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		said, reason string
		want         event.Bounce
	}{
		"hard":                        {"hard_bounce", "551 5.1.1 recipient is not exist", event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}},
		"soft":                        {"soft_bounce", "552 5.2.2 full", event.Bounce{Type: event.Soft, Category: event.CategoryMailboxFull}},
		"hard, on the older page":     {"hard", "no such user", event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}},
		"soft, on the older page":     {"soft", "", event.Bounce{Type: event.Soft, Category: event.CategoryOther}},
		"in capitals":                 {"HARD_BOUNCE", "", event.Bounce{Type: event.Hard, Category: event.CategoryOther}},
		"soft against the server":     {"soft_bounce", "550 5.1.1 no", event.Bounce{Type: event.Soft, Category: event.CategoryUserUnknown}},
		"no word, a server that says": {"", "550 5.1.1 no", event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}},
		"no word, a policy":           {"", "550 5.7.1 no", event.Bounce{Type: event.Soft, Category: event.CategoryPolicy}},
		"a word to come":              {"block_bounce", "", event.Bounce{Type: event.Undetermined, Category: event.CategoryOther}},
	} {
		if e := one(t, notice("bounce", `, "bounceType": "`+c.said+`", "reason": "`+c.reason+`"`)); e.Bounce != c.want || e.Diagnostic != c.reason {
			t.Errorf("%s: %+v, %q; want %+v", name, e.Bounce, e.Diagnostic, c.want)
		}
	}
}

func TestDrops(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]event.RejectReason{
		"in the BlackList": event.SuppressedBounce, "hit blocklist": event.SuppressedBounce, "recipient unsubscribed": event.UnsubscribedAddress, "no reason": event.OtherReason, "": event.OtherReason,
	} {
		if e := one(t, notice("dropped", `, "reason": "`+text+`"`)); e.Reject.Reason != want || e.Reason != text || e.Diagnostic != "" {
			t.Errorf("%q: %+v, %q", text, e.Reject, e.Reason)
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		body string
		got  func(*event.Event) any
		want any
	}{
		"a time in seconds":                 {notice("open", ""), func(e *event.Event) any { return []any{e.Time, e.TimeRaw} }, []any{at, "1767225600"}},
		"a time as a text":                  {`{"event": "open", "timestamp": "1767225600"}`, func(e *event.Event) any { return e.Time }, at},
		"a time in milliseconds":            {`{"event": "open", "timestamp": 1767225600000}`, func(e *event.Event) any { return e.Time }, at},
		"no time":                           {`{"event": "open"}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"the id as the table spells it":     {`{"event": "open", "bulkid": "c"}`, func(e *event.Event) any { return e.ProviderMessageID }, "c"},
		"a subject that is not ASCII":       {notice("open", `, "subject": "=?UTF-8?B?5L2g5aW9?="`), func(e *event.Event) any { return e.Subject }, "你好"},
		"a subject in GBK":                  {notice("open", `, "subject": "=?GBK?B?xOO6ww==?="`), func(e *event.Event) any { return e.Subject }, "=?GBK?B?xOO6ww==?="},
		"a subject with a question":         {notice("open", `, "subject": "Why =? this"`), func(e *event.Event) any { return e.Subject }, "Why =? this"},
		"a Message-ID in brackets":          {notice("open", `, "messageId": "<m@example.com>"`), func(e *event.Event) any { return e.MessageID }, "m@example.com"},
		"what the sender attached":          {notice("open", `, "X-Tencentcloudses-Cb-Custom": "ses callback"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"X-Tencentcloudses-Cb-Custom": "ses callback"}},
		"what the sender attached, as JSON": {notice("open", `, "X-Tencentcloudses-Cb-Custom": "{\"a\":1}"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "1"}},
		"nothing attached":                  {notice("open", `, "X-Tencentcloudses-Cb-Custom": ""`), func(e *event.Event) any { return len(e.Metadata) }, 0},
		"a deferral":                        {notice("deferred", `, "reason": "451 4.7.1 later"`), func(e *event.Event) any { return []any{e.SMTPCode, e.EnhancedCode, e.Diagnostic} }, []any{451, "4.7.1", "451 4.7.1 later"}},
		"a name before a number":            {`{"event": "open", "eventid": 3}`, func(e *event.Event) any { return e.Type }, event.Opened},
		"a name that is null":               {`{"event": null, "eventid": 3}`, func(e *event.Event) any { return e.Type }, event.Bounced},
		"the account":                       {notice("open", `, "username": 251200670, "templateId": 7`), func(e *event.Event) any { return []any{e.Account, e.Details["templateId"]} }, []any{"251200670", "7"}},
		"a link of a click":                 {notice("click", `, "link": "https://example.com/?a=1", "useragent": "x"`), func(e *event.Event) any { return []any{e.URL, e.UserAgent} }, []any{"https://example.com/?a=1", "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := one(t, c.body)
			if diff := cmp.Diff(c.want, c.got(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestIdentity has what is one event and what is two.
func TestIdentity(t *testing.T) {
	t.Parallel()
	click := notice("click", `, "link": "https://example.com/a", "useragent": "x"`)
	for what, other := range map[string]string{
		"a second later": strings.Replace(click, "1767225600", "1767225601", 1), "another link": strings.Replace(click, "/a", "/b", 1), "another program": strings.Replace(click, `"x"`, `"y"`, 1),
		"somebody else": strings.Replace(click, "a@", "b@", 1), "an open": strings.Replace(click, "click", "open", 1),
	} {
		if one(t, other).ID == one(t, click).ID {
			t.Errorf("%s: it is another event", what)
		}
	}
	if one(t, click).ID != one(t, strings.ReplaceAll(click, " ", "")).ID {
		t.Error("white space makes another event")
	}
	if b := decode(t, "["+click+","+click+"]"); len(b.Events) != 2 || b.Events[0].ID == b.Events[1].ID || b.Events[0].ID != one(t, click).ID {
		t.Errorf("twins of one request: %+v", b.Events)
	}
}

func TestBodiesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body                string
		events, undecodable int
	}{
		"no event":     {`{"email": "a@example.com"}`, 0, 1},
		"a probe":      {"", 0, 1},
		"a form":       {"event=open", 0, 1},
		"a neighbour":  {"[" + notice("open", "") + ",5,{}]", 1, 2},
		"two events":   {notice("open", `, "event": "bounce"`), 0, 1},
		"cut off":      {notice("open", "")[:40], 0, 1},
		"an empty one": {"[]", 0, 0},
	} {
		if b := decode(t, c.body); len(b.Events) != c.events || len(b.Undecodable) != c.undecodable {
			t.Errorf("%s: %d events, %+v", name, len(b.Events), b.Undecodable)
		}
	}
}

// TestDocumentedBodies decodes the bodies of the provider's pages.
func TestDocumentedBodies(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"processed": event.Accepted, "deferred": event.Deferred, "delivered": event.Delivered, "dropped": event.Rejected, "bounce": event.Bounced, "open": event.Opened,
		"click": event.Clicked, "spamreport": event.Complained, "unsubscribe": event.Unsubscribed,
	}
	for _, path := range providertest.Facts(t, "samples/cn/tencent-*.json") {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "tencent-"), ".body.json")
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if e := one(t, string(body)); e.Type != want[name] || e.Recipient != "recipient@example.com" || e.MessageID == "" || e.ProviderMessageID == "" || e.TimeRaw != "1772000000" {
			t.Errorf("%s: %+v; want %s", name, e, want[name])
		}
	}
}
