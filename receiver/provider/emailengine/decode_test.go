package emailengine_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	simulated "github.com/mailvane/mailvane/internal/simulate/emailengine"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/emailengine"
)

func received() time.Time { return time.Date(2024, time.June, 1, 12, 0, 0, 0, time.UTC) }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := emailengine.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, header http.Header, body string) provider.Batch {
	t.Helper()
	return webhook(t, `{}`).Decode(&provider.Request{Header: header, Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, nil, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

func notice(name, data string) string {
	return `{"account": "example", "date": "2022-01-17T11:44:46.934Z", "event": "` + name + `", "data": ` + data + `}`
}

// TestVector is a body that was signed with Python's hmac module.
func TestVector(t *testing.T) {
	t.Parallel()
	const body = `{"account":"example","date":"2022-03-24T08:27:24.572Z","event":"trackClick","data":{"messageId":"<a@example.com>","url":"https://google.com/"}}`
	r := &provider.Request{Header: http.Header{"X-Ee-Wh-Signature": {"p3BUgaCbxVJDmoDG22d8_Oi64OjUMRSILiIZapLDAwI"}}, Body: []byte(body)}
	if _, err := webhook(t, `{"serviceSecrets": ["0123456789abcdef0123456789abcdef"]}`).Verify(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func TestWithoutSecretsNothingIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := webhook(t, `{}`).Verify(t.Context(), &provider.Request{}); err != nil {
		t.Error(err)
	}
}

func TestEveryEvent(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"messageNew": event.MailboxMessageCreated, "messageDeleted": event.MailboxMessageDeleted,
		"messageUpdated": event.MailboxMessageUpdated, "messageMissing": event.MailboxMessageMissing,
		"messageSent": event.Sent, "messageDeliveryError": event.Deferred, "messageFailed": event.Failed,
		"messageBounce": event.Bounced, "messageComplaint": event.Complained,
		"trackOpen": event.Opened, "trackClick": event.Clicked,
		"listUnsubscribe": event.Unsubscribed, "listSubscribe": event.Resubscribed,
		"mailboxNew": event.MailboxFolderCreated, "mailboxDeleted": event.MailboxFolderDeleted, "mailboxReset": event.MailboxFolderReset,
		"accountAdded": event.AccountAdded, "accountInitialized": event.AccountInitialized, "accountDeleted": event.AccountDeleted,
		"authenticationSuccess": event.AccountAuthenticated, "authenticationError": event.AccountAuthFailed,
		"connectError": event.AccountConnectFailed, "exportCompleted": event.ExportCompleted, "exportFailed": event.ExportFailed,
		"test": event.Test, "somethingNew": event.Unknown,
	}
	for name, wantType := range want {
		// Data that is missing or odd must not cost the event.
		for _, data := range []string{"{}", "null", "[1]", `"x"`, "5"} {
			e := decodeOne(t, notice(name, data))
			if e.Type != wantType || e.ProviderEvent != name || e.Account != "example" || e.TimeImplausible {
				t.Errorf("%s with data %s: got %+v, want %s", name, data, e, wantType)
			}
		}
	}
}

func TestBounces(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		data       string
		want       event.Type
		wantBounce event.Bounce
		wantCode   string
	}{
		"status 5": {data: `"action": "failed", "response": {"status": "5.1.1"}`, want: event.Bounced, wantBounce: event.Bounce{Type: event.Hard}, wantCode: "5.1.1"},
		"status 4": {data: `"action": "failed", "response": {"status": "4.2.2"}`, want: event.Bounced, wantBounce: event.Bounce{Type: event.Soft}, wantCode: "4.2.2"},
		"status outweighs category": {
			data: `"action": "failed", "response": {"status": "5.2.2", "category": "mailbox_full"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Hard, Category: "mailbox_full"}, wantCode: "5.2.2",
		},
		"no status, temporary category": {
			data: `"action": "failed", "response": {"category": "greylisting"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Soft, Category: "greylisting"},
		},
		"no status, other category": {
			data: `"action": "failed", "response": {"category": "mailbox_disabled"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Undetermined, Category: "mailbox_disabled"},
		},
		"no status, other category, advice to remove the address": {
			data: `"action": "failed", "response": {"category": "mailbox_disabled", "recommendedAction": "remove"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Hard, Category: "mailbox_disabled"},
		},
		"no status, no such address": {
			data: `"action": "failed", "response": {"category": "user_unknown"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Hard, Category: "user_unknown"},
		},
		"no such address, in a status for now": {
			data: `"action": "failed", "response": {"status": "4.1.1", "category": "user_unknown"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Hard, Category: "user_unknown"}, wantCode: "4.1.1",
		},
		"no status, a code in the words": {
			data: `"action": "failed", "response": {"message": "554 delivery error: dd No such mailbox", "category": "unknown"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Hard, Category: "unknown"},
		},
		"no status, a code of class 4 in the words": {
			data: `"action": "failed", "response": {"message": "421 try again"}`, want: event.Bounced, wantBounce: event.Bounce{Type: event.Soft},
		},
		"block of the sender, not of the address": {
			data: `"action": "failed", "response": {"status": "5.7.1", "category": "ip_blacklisted"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Soft, Category: "ip_blacklisted"}, wantCode: "5.7.1",
		},
		"block of the sender, with a status that does not say so": {
			data: `"action": "failed", "response": {"status": "5.0.0", "category": "spam_blocked"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Soft, Category: "spam_blocked"}, wantCode: "5.0.0",
		},
		"nothing but the address": {data: `"recipient": "a@example.com"`, want: event.Bounced, wantBounce: event.Bounce{Type: event.Undetermined}},
		"response is a text":      {data: `"action": "failed", "response": "550"`, want: event.Bounced, wantBounce: event.Bounce{Type: event.Undetermined}},
		"code in the message only": {
			data: `"action": "failed", "response": {"message": "550 5.7.1 no"}`, want: event.Bounced,
			wantBounce: event.Bounce{Type: event.Soft}, wantCode: "5.7.1",
		},
		"action in capitals, with a comment": {data: `"action": "Delayed (warning)", "response": {"status": "4.4.1"}`, want: event.Deferred, wantCode: "4.4.1"},
		"delayed":                            {data: `"action": "delayed", "response": {"status": "4.4.1"}`, want: event.Deferred, wantCode: "4.4.1"},
		"delivered":                          {data: `"action": "delivered"`, want: event.Delivered},
		"relayed":                            {data: `"action": "relayed"`, want: event.Delivered},
		"expanded":                           {data: `"action": "expanded"`, want: event.Delivered},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, notice("messageBounce", "{"+c.data+"}"))
			if e.Type != c.want || e.Bounce != c.wantBounce || e.EnhancedCode != c.wantCode {
				t.Errorf("got %s %+v %q", e.Type, e.Bounce, e.EnhancedCode)
			}
		})
	}
}

func TestNewMessages(t *testing.T) {
	t.Parallel()
	envelope := func(around, data string) string {
		return `{"event": "messageNew", "date": "2022-01-17T11:44:46.934Z", ` + around + `, "data": {` + data + `}}`
	}
	cases := map[string]struct {
		body string
		want event.Type
	}{
		"path INBOX":               {body: envelope(`"path": "INBOX"`, ``), want: event.Received},
		"path inbox in any case":   {body: envelope(`"path": "Inbox"`, ``), want: event.Received},
		"label of the inbox":       {body: envelope(`"path": "[Gmail]/All Mail"`, `"labels": ["\\Important", "\\Inbox"]`), want: event.Received},
		"special use of message":   {body: envelope(`"path": "x"`, `"messageSpecialUse": "\\Inbox"`), want: event.Received},
		"own copy":                 {body: envelope(`"path": "Sent"`, `"seemsLikeNew": true`), want: event.MailboxMessageCreated},
		"automatic reply":          {body: envelope(`"path": "INBOX"`, `"isAutoReply": true`), want: event.Autoresponded},
		"not an automatic reply":   {body: envelope(`"path": "INBOX"`, `"isAutoReply": false`), want: event.Received},
		"archived automatic reply": {body: envelope(`"path": "Archive"`, `"isAutoReply": true`), want: event.MailboxMessageCreated},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e := decodeOne(t, c.body); e.Type != c.want {
				t.Errorf("got %s, want %s", e.Type, c.want)
			}
		})
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	check := func(name, body string, want func(event.Event) (got, want any)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wanted := want(decodeOne(t, body))
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	check("ids beyond 2^53 keep every digit, as texts and as numbers",
		notice("messageDeleted", `{"emailId": "1722202068227089305", "threadId": 1722202068227089307, "uid": 13463}`),
		func(e event.Event) (any, any) {
			return e.Details, map[string]string{"emailId": "1722202068227089305", "threadId": "1722202068227089307", "uid": "13463"}
		})
	check("replyTo as an object and as a list",
		notice("messageNew", `{"replyTo": {"address": "r@example.com"}, "from": {"address": "f@example.com"}}`),
		func(e event.Event) (any, any) { return e.Sender, "f@example.com" })
	check("two dates: the one of the event counts",
		notice("messageNew", `{"date": "2001-01-01T00:00:00.000Z"}`),
		func(e event.Event) (any, any) { return e.TimeRaw, "2022-01-17T11:44:46.934Z" })
	check("submission failure names no recipient, and its code stands in free text",
		notice("messageFailed", `{"error": "Error: Invalid login: 535 5.7.8 Error: authentication failed: "}`),
		func(e event.Event) (any, any) {
			return []any{e.SMTPCode, e.EnhancedCode, e.Recipient}, []any{535, "5.7.8", ""}
		})
	check("delivery error: number in free text only",
		notice("messageDeliveryError", `{"error": "400 Message Not Accepted"}`),
		func(e event.Event) (any, any) { return e.SMTPCode, 400 })
	check("delivery error: no code in an error of the network",
		notice("messageDeliveryError", `{"error": "connect ETIMEDOUT 192.0.2.1:587 after 250 ms", "smtpResponseCode": false}`),
		func(e event.Event) (any, any) { return e.SMTPCode, 0 })
	check("delivery error: no further attempt",
		notice("messageDeliveryError", `{"job": {"attemptsMade": 10, "attempts": 10, "nextAttempt": false}}`),
		func(e event.Event) (any, any) {
			return e.Details, map[string]string{"attemptsMade": "10", "attempts": "10", "nextAttempt": "false"}
		})
	check("bounce: queue id is the remote server's and no message id",
		notice("messageBounce", `{"queueId": "BFC608226A"}`),
		func(e event.Event) (any, any) {
			return []string{e.ProviderMessageID, e.Details["mtaQueueId"]}, []string{"", "BFC608226A"}
		})
	check("complaint without original recipient: the header's",
		notice("messageComplaint", `{"headers": {"to": ["h@example.com"]}}`),
		func(e event.Event) (any, any) { return e.Recipient, "h@example.com" })
	check("complaint without Message-ID",
		notice("messageComplaint", `{"arf": {"feedbackType": "abuse", "originalRcptTo": ["o@example.com"]}}`),
		func(e event.Event) (any, any) {
			return []string{e.MessageID, e.Recipient, e.Complaint.FeedbackType}, []string{"", "o@example.com", "abuse"}
		})
	check("open names neither recipient nor URL",
		notice("trackOpen", `{"messageId": "<m@example.com>", "remoteAddress": "192.0.2.1"}`),
		func(e event.Event) (any, any) {
			return []string{e.Recipient, e.URL, e.MessageID, e.IP}, []string{"", "", "m@example.com", "192.0.2.1"}
		})
	check("folder with false in place of a special use",
		notice("mailboxNew", `{"path": "[Gmail]/All Mail", "specialUse": false, "uidValidity": false}`),
		func(e event.Event) (any, any) { return e.Details, map[string]string{"path": "[Gmail]/All Mail"} })
	check("text outside ASCII",
		notice("messageNew", `{"subject": "Test message 🤔"}`),
		func(e event.Event) (any, any) { return e.Subject, "Test message 🤔" })
	check("account is null in a test",
		`{"serviceUrl": "http://127.0.0.1:3000", "account": null, "date": "2025-06-01T12:00:00.000Z", "event": "test", "data": {"nonce": "n"}}`,
		func(e event.Event) (any, any) { return []any{e.Type, e.Account}, []any{event.Test, ""} })
}

// TestOneMessageHasOneKey follows a message through a mailbox. Only its first event has a Message-ID.
func TestOneMessageHasOneKey(t *testing.T) {
	t.Parallel()
	created := decodeOne(t, notice("messageNew", `{"id": "AAAAAQAANJc", "messageId": "<m@example.com>"}`))
	for _, name := range []string{"messageUpdated", "messageDeleted", "messageMissing"} {
		if e := decodeOne(t, notice(name, `{"id": "AAAAAQAANJc"}`)); e.Key() != created.Key() {
			t.Errorf("%s has the key %q, messageNew %q", name, e.Key(), created.Key())
		}
	}
	elsewhere := `{"account": "other", "event": "messageUpdated", "data": {"id": "AAAAAQAANJc"}}`
	for what, e := range map[string]event.Event{
		"another message":    decodeOne(t, notice("messageNew", `{"id": "AAAAAQAANJd", "messageId": "<m@example.com>"}`)),
		"of another account": decodeOne(t, elsewhere),
	} {
		if e.Key() == created.Key() {
			t.Errorf("%s has the same key, %q", what, e.Key())
		}
	}
	if e := decodeOne(t, notice("messageNew", `{"messageId": "<m@example.com>"}`)); e.Key() != "m@example.com" {
		t.Errorf("without an id the key is %q", e.Key())
	}
}

// TestIDs takes the view of each who can send a request: EmailEngine itself, and whoever holds one that it has signed.
func TestIDs(t *testing.T) {
	t.Parallel()
	header := func(id, route string) http.Header {
		h := http.Header{}
		h.Set("X-EE-Wh-Event-Id", id)
		if route != "" {
			h.Set("X-EE-Wh-Custom-Route", route)
		}
		return h
	}
	id := func(h http.Header, body string) string { return decode(t, h, body).Events[0].ID }
	body := notice("trackOpen", `{"messageId": "<m@example.com>"}`)
	const undated = `{"account": "a", "event": "trackOpen"}`
	dateOfDay := strings.Replace(body, "T11:44:46.934Z", "T11:44:46Z", 1)
	cases := map[string]struct {
		one, other string
		same       bool
	}{
		"another attempt":                             {id(header("e-1", ""), body), id(withAttempt(header("e-1", "")), body), true},
		"white space, as a stored event has none":     {id(header("e-1", ""), body), id(header("e-1", ""), strings.ReplaceAll(body, ": ", ":")), true},
		"blanks in a text":                            {id(nil, notice("x", `{"a": "b c"}`)), id(nil, notice("x", `{"a": "bc"}`)), false},
		"captured, with another event id":             {id(header("e-1", ""), body), id(header("e-2", ""), body), true},
		"captured, without an event id":               {id(header("e-1", ""), body), id(nil, body), true},
		"captured, with the id of another event":      {id(header("e-1", ""), body), id(header("e-1", ""), notice("trackOpen", `{"messageId": "<n@example.com>"}`)), false},
		"copy of a custom route, which says the same": {id(header("e-1", ""), body), id(header("e-1", "r"), body), true},
		"captured, with routes made up":               {id(header("e-1", "r"), body), id(header("e-1", "s"), body), true},
		"no time in the body: two events":             {id(header("e-1", "r"), undated), id(header("e-2", "r"), undated), false},
		"no time in the body: another attempt":        {id(header("e-1", "r"), undated), id(withAttempt(header("e-1", "r")), undated), true},
		"no time in the body: two routes":             {id(header("e-1", "r"), undated), id(header("e-1", "s"), undated), false},
		"no time in the body: an event id taken":      {id(header("e-1", "r"), undated), id(header("e-1", "r"), `{"account": "b", "event": "trackOpen"}`), false},
		"a time to the second: two events":            {id(header("e-1", ""), dateOfDay), id(header("e-2", ""), dateOfDay), false},
		"equal but for the envelope's path":           {id(nil, `{"path": "a",`+body[1:]), id(nil, `{"path": "b",`+body[1:]), false},
		"equal but for a member that nobody reads": {
			id(nil, notice("trackOpen", `{"messageId": "<m@example.com>", "new": 1}`)), id(nil, notice("trackOpen", `{"messageId": "<m@example.com>", "new": 2}`)), false,
		},
	}
	for name, c := range cases {
		if c.one == "" || (c.one == c.other) != c.same {
			t.Errorf("%s: ids %s and %s; the same: want %v", name, c.one, c.other, c.same)
		}
	}
	if e := decode(t, header("e-1", ""), body).Events[0]; e.ProviderEventID != "e-1" {
		t.Errorf("event id %q", e.ProviderEventID)
	}
	for what, bad := range map[string]string{"long": strings.Repeat("x", 129), "unprintable": "a\x00b", "not UTF-8": "\xff"} {
		if e := decode(t, http.Header{"X-Ee-Wh-Event-Id": {bad}}, undated).Events[0]; e.ProviderEventID != "" || e.ID != id(nil, undated) {
			t.Errorf("a %s event id is taken", what)
		}
	}
}

func withAttempt(h http.Header) http.Header {
	h.Set("X-EE-Wh-Attempts-Made", "3")
	h.Set("X-EE-Wh-Queued-Time", "90s")
	return h
}

func TestUndecodable(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ body, reason string }{
		"an array":         {body: "[]", reason: "expected a JSON object"},
		"no event":         {body: `{"account": "a", "data": {}}`, reason: "the member event is missing"},
		"event is no text": {body: `{"event": {}}`, reason: "the member event is missing"},
		"cut off in data":  {body: `{"event": "messageNew", "data": {"subject": "s`, reason: "invalid JSON: ends early, at byte 46"},
		"two accounts":     {body: `{"event": "test", "account": "a", "account": "b"}`, reason: `the member "account" occurs twice, with different values`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := decode(t, nil, c.body)
			if len(b.Events) != 0 || len(b.Undecodable) != 1 {
				t.Fatalf("got %+v", b)
			}
			if u := b.Undecodable[0]; u.Reason != c.reason || string(u.Raw) != c.body {
				t.Errorf("reason %q, want %q", u.Reason, c.reason)
			}
		})
	}
}

func TestSignKeepsAnEventID(t *testing.T) {
	t.Parallel()
	sign := func(body string, header http.Header) string {
		r := &provider.Request{Header: header, Body: []byte(body)}
		if err := simulated.Sign([]byte(`{}`), nil, r); err != nil {
			t.Fatal(err)
		}
		return r.Header.Get("X-EE-Wh-Event-Id")
	}
	a, b := sign("a", nil), sign("b", nil)
	if a == b || a != sign("a", nil) || len(a) != len("00000000-0000-0000-0000-000000000000") {
		t.Errorf("ids %q and %q", a, b)
	}
	if kept := sign("a", http.Header{"X-Ee-Wh-Event-Id": {"mine"}}); kept != "mine" {
		t.Errorf("the given id became %q", kept)
	}
}

// TestATextThatWasCutWithinACharacter has what is left of an emoji where notifyTextSize ends the text.
func TestATextThatWasCutWithinACharacter(t *testing.T) {
	t.Parallel()
	e := decodeOne(t, `{"account":"a","date":"2022-01-17T11:44:46.934Z","path":"INBOX","event":"messageNew","data":{"id":"AAA","text":{"plain":"Test \ud83e","hasMore":true}}}`)
	if want := `"plain":"Test \ufffd"`; e.Type != event.Received || !strings.Contains(string(e.Raw), want) {
		t.Errorf("%s: %s", e.Type, e.Raw)
	}
}
