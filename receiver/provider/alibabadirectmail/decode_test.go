package alibabadirectmail_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/alibabadirectmail"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	w, err := alibabadirectmail.Kind().New([]byte(`{}`), provider.Environment{})
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

// notice returns an event with the members of its data.
func notice(name, data string) string {
	return `{"id": "1", "source": "acs:dm", "specversion": "1.0", "type": "` + name + `", "time": "2026-01-01T08:00:12+08:00", "aliyunaccountid": "123", "data": {` + data + `}}`
}

func TestTypes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]event.Type{
		"dm:Deliver:Succeed": event.Delivered, "dm:Deliver:Fail": event.Bounced, "dm:Feedback:FblReport": event.Complained, "dm:Feedback:UnSubscribe": event.Unsubscribed,
		"dm:Feedback:Subscribe": event.Resubscribed, "dm:Trace:Open": event.Opened, "dm:Trace:Click": event.Clicked, "dm:Validator:GrayListResult": event.Unknown,
		"DM:TRACE:OPEN": event.Opened, "dm:Trace:Reply": event.Unknown, "ecs:Instance:Reboot": event.Unknown,
	} {
		if e := one(t, notice(name, "")); e.Type != want || e.ProviderEvent != name || e.Account != "123" || e.ProviderEventID != "1" {
			t.Errorf("%s: %+v; want %s", name, e, want)
		}
	}
}

// TestFailures has the classes of errors, the statuses and the replies of servers, in the order in which they count.
func TestFailures(t *testing.T) {
	t.Parallel()
	bounced := func(kind event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: kind, Category: category}}
	}
	rejected := func(reason event.RejectReason) event.Event {
		return event.Event{Type: event.Rejected, Reject: event.Reject{Reason: reason}}
	}
	for name, c := range map[string]struct {
		class, status, code, words string
		want                       event.Event
	}{
		"no such mailbox":            {"SmtpNxBox", "2", "554", "554 no", bounced(event.Hard, event.CategoryUserUnknown)},
		"the class alone":            {"SmtpNxBox", "", "", "", bounced(event.Hard, event.CategoryUserUnknown)},
		"in capitals":                {"SMTPNXBOX", "4", "", "", bounced(event.Hard, event.CategoryUserUnknown)},
		"an invalid address":         {"SysOutInvRcpt", "2", "", "", bounced(event.Hard, event.CategoryUserUnknown)},
		"spam":                       {"SmtpContSpam", "3", "550", "550 5.7.1 spam", bounced(event.Soft, event.CategorySpam)},
		"another failure, hard":      {"", "4", "550", "550 5.1.2 no such domain", bounced(event.Hard, event.CategoryUserUnknown)},
		"another failure, soft":      {"", "4", "452", "452 4.2.2 full", bounced(event.Soft, event.CategoryMailboxFull)},
		"a code and no words":        {"", "4", "421", "", bounced(event.Soft, event.CategoryOther)},
		"a code of DirectMail's own": {"", "4", "1001", "time out", bounced(event.Undetermined, event.CategoryOther)},
		"a status to come":           {"Other", "5", "", "", bounced(event.Undetermined, event.CategoryOther)},
		"nothing":                    {"", "", "", "", bounced(event.Undetermined, event.CategoryOther)},
		"on the list of bounces":     {"SysOutRcptOnAccountLevelBounceList", "2", "559", "listed", rejected(event.SuppressedBounce)},
		"complained before":          {"SysOutRecipientReportedSpam", "3", "", "reported", rejected(event.SuppressedComplaint)},
		"unsubscribed before":        {"SysOutRecipientUnsubscribed", "4", "", "unsubscribed", rejected(event.UnsubscribedAddress)},
	} {
		e := one(t, notice("dm:Deliver:Fail", `"failed_type": "`+c.class+`", "status": "`+c.status+`", "err_code": "`+c.code+`", "err_msg": "`+c.words+`"`))
		if diff := cmp.Diff(c.want, event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if e.Diagnostic+e.Reason != c.words || (e.Reason != "") != (e.Type == event.Rejected) {
			t.Errorf("%s: diagnostic %q, reason %q", name, e.Diagnostic, e.Reason)
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 12, 0, time.UTC)
	untimed := func(data string) string {
		return `{"id": "1", "source": "acs:dm", "type": "dm:Trace:Open", "data": {` + data + `}}`
	}
	for name, c := range map[string]struct {
		body string
		got  func(*event.Event) any
		want any
	}{
		"the time of the event":               {notice("dm:Trace:Open", `"deliver_time": "2026-01-01T07:00:00"`), func(e *event.Event) any { return []any{e.Time, e.TimeRaw, e.TimeZoneAssumed} }, []any{at, "2026-01-01T08:00:12+08:00", false}},
		"a time of Beijing, without its zone": {untimed(`"deliver_time": "2026-01-01T08:00:12"`), func(e *event.Event) any { return []any{e.Time, e.TimeRaw, e.TimeZoneAssumed} }, []any{at, "2026-01-01T08:00:12", false}},
		"with it, as the page had it in 2024": {untimed(`"deliver_time": "2026-01-01T08:00:12+08:00"`), func(e *event.Event) any { return e.Time }, at},
		"the time of an unsubscription":       {untimed(`"operate_time": "2026-01-01T08:00:12"`), func(e *event.Event) any { return e.Time }, at},
		"the time of a complaint, in seconds": {untimed(`"block_time": "1767225612"`), func(e *event.Event) any { return e.Time }, at},
		"no time":                             {untimed(""), func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"an event of a month ago":             {strings.Replace(notice("dm:Trace:Open", ""), "2026-01-01", "2025-12-03", 1), func(e *event.Event) any { return e.TimeImplausible }, false},
		"the names of a complaint":            {notice("dm:Feedback:FblReport", `"block_email": "a@example.com", "send_email": "s@example.com", "message_id": "<m@example.com>"`), func(e *event.Event) any { return []any{e.Recipient, e.Sender, e.MessageID} }, []any{"a@example.com", "s@example.com", "m@example.com"}},
		"who a message is from": {notice("dm:Trace:Open", `"rcpt": "A@EXAMPLE.com", "from": "S <s@example.com>", "account": "batch@example.com", "env_id": 60000000001`), func(e *event.Event) any {
			return []any{e.Recipient, e.Sender, e.Details["account"], e.ProviderMessageID}
		}, []any{"A@example.com", "s@example.com", "batch@example.com", "60000000001"}},
		"a click":                              {notice("dm:Trace:Click", `"url": "https://example.com/?a=1", "client_ip": "198.51.100.4"`), func(e *event.Event) any { return []any{e.URL, e.IP} }, []any{"https://example.com/?a=1", "198.51.100.4"}},
		"fields of the header are metadata":    {notice("dm:Trace:Open", `"header": {"X-Notify-Message-ID": "m1", "X-Empty": ""}`), func(e *event.Event) any { return e.Metadata }, map[string]string{"X-Notify-Message-ID": "m1"}},
		"no fields of the header":              {notice("dm:Trace:Open", `"header": "{}"`), func(e *event.Event) any { return len(e.Metadata) }, 0},
		"a tag":                                {notice("dm:Trace:Open", `"tag": "orders"`), func(e *event.Event) any { return e.Tags }, []string{"orders"}},
		"no tag":                               {notice("dm:Trace:Open", `"tag": ""`), func(e *event.Event) any { return len(e.Tags) }, 0},
		"data that is a text":                  {`{"id": "1", "type": "dm:Trace:Open", "data": "x"}`, func(e *event.Event) any { return e.Type }, event.Opened},
		"the source with a dot, as rules have": {strings.Replace(notice("dm:Trace:Open", ""), "acs:dm", "acs.dm", 1), func(e *event.Event) any { return e.Type }, event.Opened},
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
	open := notice("dm:Trace:Open", `"rcpt": "a@example.com"`)
	with := func(body, more string) string {
		return strings.Replace(body, `"specversion"`, more+`, "specversion"`, 1)
	}
	if one(t, with(open, `"aliyunpublishtime": "a"`)).ID != one(t, with(open, `"aliyunpublishtime": "b"`)).ID {
		t.Error("published again, it is another event")
	}
	for what, other := range map[string]string{
		"another id": strings.Replace(open, `"1"`, `"2"`, 1), "another type": strings.Replace(open, "Open", "Click", 1), "another source": strings.Replace(open, "acs:dm", "acs:dm2", 1),
		"no id": strings.Replace(open, `"id": "1", `, "", 1),
	} {
		if one(t, other).ID == one(t, open).ID {
			t.Errorf("%s is the same event", what)
		}
	}
	without := strings.Replace(open, `"id": "1", `, "", 1)
	if one(t, without).ID == one(t, strings.Replace(without, "a@", "b@", 1)).ID {
		t.Error("without an id, two events are one")
	}
	if one(t, with(without, `"aliyunpublishtime": "a", "aliyunpublishaddr": "192.0.2.1"`)).ID != one(t, without).ID {
		t.Error("without an id, an event that is published again is two")
	}
	if b := decode(t, "["+open+","+open+"]"); len(b.Events) != 2 || b.Events[0].ID == b.Events[1].ID {
		t.Errorf("twins of one request: %+v", b.Events)
	}
}

func TestBodiesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, reason        string
		events, undecodable int
	}{
		"a part of the event": {`{"rcpt": "a@example.com"}`, "complete event", 0, 1},
		"a template's text":   {"mail to a@example.com failed", "", 0, 1},
		"a probe":             {"", "", 0, 1},
		"a neighbour":         {"[" + notice("dm:Trace:Open", "") + ",5,{}]", "", 1, 2},
		"two recipients":      {notice("dm:Trace:Open", `"rcpt": "a@example.com", "rcpt": "b@example.com"`), "rcpt", 0, 1},
		"cut off":             {notice("dm:Trace:Open", "")[:60], "", 0, 1},
	} {
		b := decode(t, c.body)
		if len(b.Events) != c.events || len(b.Undecodable) != c.undecodable || !strings.Contains(b.Undecodable[0].Reason, c.reason) {
			t.Errorf("%s: %d events, %+v", name, len(b.Events), b.Undecodable)
		}
	}
}

// TestDocumentedBodies decodes the body of the provider's page.
func TestDocumentedBodies(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "samples/cn/alibaba-*.json") {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		e := one(t, string(body))
		want := event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}
		if e.Bounce != want || e.SMTPCode != 554 || e.Recipient != "recipient@example.com" || e.MessageID != "1df0@example.com" || e.Metadata["X-Notify-Message-ID"] == "" {
			t.Errorf("%s: %+v", path, e)
		}
	}
}

// TestMNSNotifications has what a topic of MNS posts where a rule has one as its target, which is not supported: its envelope, in both forms,
// is kept as it came, with what to change, and a message without an envelope is the event.
func TestMNSNotifications(t *testing.T) {
	t.Parallel()
	inner := notice("dm:Deliver:Succeed", `"rcpt": "a@example.com"`)
	quoted := wire.Quote(inner)
	for what, body := range map[string]string{
		"JSON": `{"TopicOwner": "123", "TopicName": "dm", "Subscriber": "123", "SubscriptionName": "mailvane", "MessageId": "5F290C926D472878-2-14D9529A8FA-200000001", "Message": ` + quoted + `, "MessageMD5": "BA4BA9B48AC81F0F9C66F6C909C39DBB", "PublishTime": 1449556920975}`,
		"XML":  `<?xml version="1.0" encoding="utf-8"?><Notification xmlns="http://mns.aliyuncs.com/doc/v1/"><TopicOwner>123</TopicOwner><TopicName>dm</TopicName><Message>` + inner + `</Message></Notification>`,
	} {
		b := decode(t, body)
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || string(b.Undecodable[0].Raw) != body {
			t.Errorf("%s: %d events, undecodable %+v; want a dead letter", what, len(b.Events), b.Undecodable)
		}
	}
	if b := decode(t, `{"TopicName": "dm", "Message": `+quoted+`}`); len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, "the target must get the complete event") {
		t.Errorf("the reason does not say what to change: %+v", b.Undecodable)
	}
	if e := one(t, inner); e.Type != event.Delivered || e.Recipient != "a@example.com" {
		t.Errorf("without an envelope: %+v", e)
	}
}
