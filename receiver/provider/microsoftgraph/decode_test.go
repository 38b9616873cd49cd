package microsoftgraph_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

// lifecycle returns a lifecycle notification.
func lifecycle(name string) string {
	return `{"lifecycleEvent": "` + name + `", "subscriptionId": "s1", "subscriptionExpirationDateTime": "2026-01-07T00:00:00Z", "clientState": "` + state + `", "tenantId": "` + tenant + `"}`
}

// TestEveryEvent has each change and what Graph says of a subscription, at endpoints for the inbox and for any folder.
func TestEveryEvent(t *testing.T) {
	t.Parallel()
	inbox := strings.Replace(plain, "{", `{"subscribedFolder": "Inbox", `, 1)
	other := func(kind string) string {
		return strings.Replace(item("created", ""), "#Microsoft.Graph.Message", kind, 1)
	}
	for name, c := range map[string]struct {
		settings, body string
		want           event.Type
	}{
		"created":                  {plain, item("created", ""), event.MailboxMessageCreated},
		"created in an inbox":      {inbox, item("created", ""), event.Received},
		"updated":                  {inbox, item("updated", ""), event.MailboxMessageUpdated},
		"deleted":                  {inbox, item("deleted", ""), event.MailboxMessageDeleted},
		"in another case":          {plain, item("Deleted", ""), event.MailboxMessageDeleted},
		"a change of the future":   {plain, item("moved", ""), event.Unknown},
		"a meeting":                {inbox, other("#Microsoft.Graph.Event"), event.Unknown},
		"nobody says of what":      {inbox, other(""), event.Received},
		"another case of the type": {plain, other("#microsoft.graph.message"), event.MailboxMessageCreated},
		"reauthorizationRequired":  {inbox, lifecycle("reauthorizationRequired"), event.AccountAuthFailed},
		"subscriptionRemoved":      {inbox, lifecycle("subscriptionRemoved"), event.AccountStatusChanged},
		"missed":                   {inbox, lifecycle("missed"), event.MailboxChanged},
		"another of these":         {inbox, lifecycle("paused"), event.Unknown},
		"a lifecycle named so":     {inbox, lifecycle("created"), event.Unknown},
		"both":                     {inbox, item("created", `, "lifecycleEvent": "missed"`), event.MailboxChanged},
	} {
		if e := decodeOne(t, c.settings, list(c.body)); e.Type != c.want || e.ProviderEvent == "" || !e.TimeImplausible || !e.Time.Equal(received()) {
			t.Errorf("%s: %+v, want %s at the receipt", name, e, c.want)
		}
	}
	if b := decode(t, plain, list(item("", ""), item("deleted", ""))); len(b.Events) != 1 || len(b.Undecodable) != 1 || strings.Contains(string(b.Undecodable[0].Raw), state) {
		t.Errorf("without a name: %+v", b)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]string{
		"Users/u1/Messages/m1": "u1", "users/a@example.com/messages": "a@example.com", "/users/u1/mailFolders('inbox')/messages/m1": "u1",
		"me/mailFolders('inbox')/messages": tenant, "": tenant, "users": tenant, "Users/u1@t1/Messages/m1": "u1@t1",
	} {
		e := decodeOne(t, plain, list(strings.Replace(item("created", ""), "Users/u1/Messages/m1", resource, 1)))
		if e.Account != want || e.Key() != want+"/m1" {
			t.Errorf("%s: %q with the key %q", resource, e.Account, e.Key())
		}
	}
}

// TestIdentity has what is one event and what is two. The "id" of a notification is not one of its own.
func TestIdentity(t *testing.T) {
	t.Parallel()
	key, settings := newKey(t)
	id := func(body string) string { return decodeOne(t, settings, list(body)).ID }
	first := item("created", `, "id": "lsgTZMr9KwAAA"`)
	for what, same := range map[string]string{
		"a renewed subscription": strings.Replace(first, "2026-01-07", "2026-01-09", 1),
		"with its message":       strings.Replace(first, `, "id": "ls`, rich(t, key, `{"subject": "a"}`)+`, "id": "ls`, 1),
	} {
		if id(same) != id(first) {
			t.Errorf("%s: one event is two", what)
		}
	}
	for what, other := range map[string]string{
		"another change": strings.Replace(first, "created", "updated", 1), "another version": strings.Replace(first, `"e1"`, `"e2"`, 1), "another message": strings.Replace(first, `"id": "m1"`, `"id": "m2"`, 1),
		"another subscription": strings.Replace(first, `"s1"`, `"s2"`, 1), "another id": strings.Replace(first, "lsgT", "lsgU", 1),
	} {
		if id(other) == id(first) {
			t.Errorf("%s: two events are one", what)
		}
	}
	missed := lifecycle("missed")
	if id(missed) == id(strings.Replace(missed, "2026-01-07", "2026-01-09", 1)) || id(missed) == id(lifecycle("subscriptionRemoved")) {
		t.Error("what is said of a subscription is told apart by its end")
	}
	if b := decode(t, plain, list(missed, missed)); len(b.Events) != 2 || b.Events[0].ID == b.Events[1].ID {
		t.Errorf("twins of one request: %+v", b.Events)
	}
}

// TestMessages has a message as a subscription may select it.
func TestMessages(t *testing.T) {
	t.Parallel()
	key, settings := newKey(t)
	inbox := strings.Replace(settings, "{", `{"subscribedFolder": "Inbox", `, 1)
	for name, c := range map[string]struct {
		change, resource string
		get              func(*event.Event) any
		want             any
	}{
		"when it came in":        {"created", `{"receivedDateTime": "2026-01-01T10:00:00Z", "lastModifiedDateTime": "2026-01-01T11:00:00Z"}`, func(e *event.Event) any { return []any{e.Time.Hour(), e.TimeImplausible} }, []any{10, false}},
		"when it was changed":    {"updated", `{"receivedDateTime": "2026-01-01T10:00:00Z", "lastModifiedDateTime": "2026-01-01T11:00:00Z"}`, func(e *event.Event) any { return e.Time.Hour() }, 11},
		"no time is selected":    {"created", `{"subject": "a"}`, func(e *event.Event) any { return []any{e.Time.Equal(received()), e.TimeImplausible} }, []any{true, true}},
		"a text":                 {"created", `{"body": {"contentType": "Text", "content": "a"}}`, func(e *event.Event) any { return []string{e.Mail.Text, e.Mail.HTML} }, []string{"a", ""}},
		"HTML":                   {"created", `{"body": {"contentType": "HTML", "content": "<p>"}}`, func(e *event.Event) any { return []string{e.Mail.Text, e.Mail.HTML} }, []string{"", "<p>"}},
		"a body of null":         {"created", `{"body": null}`, func(e *event.Event) any { return *e.Mail }, event.Mail{}},
		"people":                 {"created", `{"from": {"emailAddress": {"name": "A", "address": "a@EXAMPLE.com"}}, "toRecipients": [{"emailAddress": {"address": "b@example.com"}}, null, {"emailAddress": {}}]}`, func(e *event.Event) any { return []any{e.Sender, e.Recipient, e.Mail.From} }, []any{"a@example.com", "b@example.com", []event.Mailbox{{Address: "a@example.com", Name: "A"}}}},
		"no mail of an update":   {"updated", `{"subject": "a"}`, func(e *event.Event) any { return []any{e.Subject, e.Mail == nil} }, []any{"a", true}},
		"headers":                {"created", `{"internetMessageHeaders": [{"name": "references", "value": "<a@example.com>"}]}`, func(e *event.Event) any { return e.Mail.References }, []string{"a@example.com"}},
		"its Message-ID":         {"created", `{"internetMessageId": "<m@example.com>", "internetMessageHeaders": []}`, func(e *event.Event) any { return e.MessageID }, "m@example.com"},
		"a long body":            {"created", `{"body": {"content": "` + strings.Repeat("a", event.MaxMailText+1) + `"}}`, func(e *event.Event) any { return []any{e.Truncated, len(e.Mail.Text)} }, []any{true, event.MaxMailText}},
		"nothing but the braces": {"created", `{}`, func(e *event.Event) any { return e.Type }, event.Received},
	} {
		body := list(item(c.change, rich(t, key, c.resource)))
		e := decodeOne(t, inbox, body)
		if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if diff := cmp.Diff(e, decodeOne(t, inbox, string(e.Raw))); diff != "" {
			t.Errorf("%s: raw is another event:\n%s", name, diff)
		}
	}
}

// TestOddContent: what not every reader takes is kept so that it is the event again.
func TestOddContent(t *testing.T) {
	t.Parallel()
	key, settings := newKey(t)
	for name, resource := range map[string]string{
		"no UTF-8": "{\"subject\": \"a\xff\"}", "a name twice": `{"subject": "a", "x": 1, "x": 2}`, "half an emoji": `{"subject": "a\ud83d"}`, "a byte order mark": "\ufeff{\"subject\": \"a\"}", "white space": " {\"subject\": \"a\"}\r\n",
	} {
		e := decodeOne(t, settings, list(item("created", rich(t, key, resource))))
		again := decodeOne(t, settings, string(e.Raw))
		if !strings.HasPrefix(e.Subject, "a") || !e.Raw.IsValid() || cmp.Diff(e, again) != "" {
			t.Errorf("%s: kept as %s\n%s", name, e.Raw, cmp.Diff(e, again))
		}
	}
}

// TestMoreThanAnArrayMayHold has a body of more notifications than are read: those up to there are events, and the body is kept with each
// clientState, so that what is decoded of it again is asked whose it is.
func TestMoreThanAnArrayMayHold(t *testing.T) {
	t.Parallel()
	const most = 10_000
	items := make([]string, most+1)
	for n := range items {
		items[n] = strings.Replace(item("created", ""), "e1", "e"+strconv.Itoa(n), 1)
	}
	body := list(items...)
	r := &provider.Request{Body: []byte(body), ReceivedAt: received()}
	w := webhook(t, plain)
	if _, err := w.Verify(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	b := w.Decode(r)
	if len(b.Events) != most || b.Refused != 0 || len(b.Undecodable) != 1 || string(b.Undecodable[0].Raw) != body || !strings.Contains(b.Undecodable[0].Reason, "more than 10000 items") {
		t.Fatalf("%d events, %d refused, %d undecodable", len(b.Events), b.Refused, len(b.Undecodable))
	}
	if !strings.Contains(string(b.Undecodable[0].Raw), state) {
		t.Error("the body cannot be asked again whose its notifications are")
	}
	again := w.Decode(&provider.Request{Body: b.Undecodable[0].Raw, ReceivedAt: received()})
	if len(again.Events) != most || again.Events[most-1].ID != b.Events[most-1].ID {
		t.Errorf("tried again: %d events", len(again.Events))
	}
	if whole := decode(t, plain, list(items[:most]...)); len(whole.Events) != most || len(whole.Undecodable) != 0 {
		t.Errorf("as many as are read: %d events, %d undecodable", len(whole.Events), len(whole.Undecodable))
	}
}
