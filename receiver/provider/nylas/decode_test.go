package nylas_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/nylas"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := nylas.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t, `{"webhookSecrets": ["s"]}`).Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// notice returns a notification of a name about an object with some members.
func notice(name, object string) string {
	return `{"specversion": "1.0", "type": "` + name + `", "id": "n1", "time": 1767261600, "webhook_delivery_attempt": 1, "data": {"application_id": "a", "grant_id": "g", "object": {` + object + `}}}`
}

// TestEveryEvent has every trigger that is documented, and what says nothing of what happened at the end of its name.
func TestEveryEvent(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"message.created": event.MailboxMessageCreated, "message.updated": event.MailboxMessageUpdated, "message.deleted": event.MailboxMessageDeleted,
		"message.send_success": event.Sent, "message.send_failed": event.Failed, "message.bounce_detected": event.Bounced,
		"message.opened": event.Opened, "message.link_clicked": event.Clicked, "thread.replied": event.Unknown,
		"message.delivered": event.Delivered, "message.bounced": event.Bounced, "message.complaint": event.Complained, "message.rejected": event.Rejected,
		"message.transactional.delivered": event.Delivered, "message.transactional.bounced": event.Bounced,
		"message.transactional.complaint": event.Complained, "message.transactional.rejected": event.Rejected,
		"folder.created": event.MailboxFolderCreated, "folder.updated": event.Unknown, "folder.deleted": event.MailboxFolderDeleted,
		"grant.created": event.AccountAdded, "grant.updated": event.AccountAuthenticated, "grant.deleted": event.AccountDeleted,
		"grant.expired": event.AccountAuthFailed, "grant.imap_sync_completed": event.AccountInitialized,
		"calendar.created": event.Unknown, "event.updated": event.Unknown, "contact.deleted": event.Unknown, "booking.created": event.Unknown, "notetaker.media": event.Unknown,
		"message.archived": event.Unknown, "message": event.Unknown, ".truncated": event.Unknown,
	}
	for name, typ := range want {
		plain := decodeOne(t, notice(name, ``))
		if plain.Type != typ || plain.Account != "g" || plain.ProviderEvent != name || plain.ProviderEventID != "n1" {
			t.Errorf("%s: %+v", name, plain)
		}
		for _, end := range []string{".truncated", ".transformed", ".cleaned", ".metadata", ".legacy", ".cleaned.truncated", ".TRUNCATED"} {
			if e := decodeOne(t, notice(name+end, ``)); e.Type != typ || e.ID != plain.ID || e.ProviderEvent != name+end {
				t.Errorf("%s%s: %s with the id %s, want %s with %s", name, end, e.Type, e.ID, typ, plain.ID)
			}
		}
	}
}

// TestInboxes has which messages came in.
func TestInboxes(t *testing.T) {
	t.Parallel()
	for folders, want := range map[string]event.Type{
		`["INBOX"]`: event.Received, `["Inbox"]`: event.Received, `["UNREAD", "INBOX", "IMPORTANT"]`: event.Received, `"INBOX"`: event.Received,
		`["INBOX", "SENT"]`: event.MailboxMessageCreated, `["INBOX", "DRAFT"]`: event.MailboxMessageCreated, `["Drafts"]`: event.MailboxMessageCreated,
		`["SENT"]`: event.MailboxMessageCreated, `["SPAM"]`: event.MailboxMessageCreated, `["INBOX2"]`: event.MailboxMessageCreated,
		`["AAMkAGI2TG93AAA="]`: event.MailboxMessageCreated, `[]`: event.MailboxMessageCreated, `null`: event.MailboxMessageCreated, `5`: event.MailboxMessageCreated,
	} {
		e := decodeOne(t, notice("message.created", `"id": "m", "folders": `+folders))
		if e.Type != want || (e.Mail != nil) != (want == event.Received) {
			t.Errorf("%s: %s with the mail %v, want %s", folders, e.Type, e.Mail, want)
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	created := func(members string) string { return notice("message.created", `"folders": ["INBOX"], `+members) }
	for name, c := range map[string]struct {
		reason, body string
		get          func(*event.Event) any
		want         any
	}{
		"the grant of the object":   {"it is in both places", notice("message.opened", `"grant_id": "h"`), func(e *event.Event) any { return e.Account }, "h"},
		"a time as a text":          {"numbers come as texts", strings.Replace(notice("a", ``), "1767261600", `"1767261600"`, 1), func(e *event.Event) any { return e.Time.Hour() }, 10},
		"no time":                   {"that of the receipt counts", `{"type": "a", "data": {}}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"data that is a text":       {"it flows", `{"type": "message.created", "data": "x"}`, func(e *event.Event) any { return e.Type }, event.MailboxMessageCreated},
		"no body":                   {"truncated", created(`"id": "m", "snippet": "s"`), func(e *event.Event) any { return e.Mail.HTML + e.Mail.Text }, ""},
		"HTML":                      {"the body is", created(`"body": "<p>"`), func(e *event.Event) any { return []string{e.Mail.Text, e.Mail.HTML} }, []string{"", "<p>"}},
		"Markdown":                  {"what is cleaned is no HTML", strings.Replace(created(`"body": "*a*"`), "created", "created.cleaned", 1), func(e *event.Event) any { return []string{e.Mail.Text, e.Mail.HTML} }, []string{"*a*", ""}},
		"a long body":               {"raw has all of it", created(`"body": "` + strings.Repeat("a", event.MaxMailText+1) + `"`), func(e *event.Event) any { return []any{e.Truncated, len(e.Mail.HTML)} }, []any{true, event.MaxMailText}},
		"headers":                   {"when they are asked for", created(`"headers": [{"name": "message-id", "value": "<m@example.com>"}, {"name": "References", "value": "<a@example.com> <b@example.com>"}, {"name": "Auto-Submitted", "value": "Auto-Replied"}]`), func(e *event.Event) any { return []any{e.MessageID, e.Mail.References, e.Mail.AutoSubmitted} }, []any{"m@example.com", []string{"a@example.com", "b@example.com"}, "auto-replied"}},
		"a date that is none":       {"it is left out", created(`"date": "soon"`), func(e *event.Event) any { return e.Mail.Date.IsZero() }, true},
		"a parameter of a type":     {"the name of the file", created(`"attachments": [{"content_type": "Image/JPEG; name=\"a.jpg\"", "size": "12"}]`), func(e *event.Event) any { return e.Mail.Attachments }, []event.Attachment{{MediaType: "image/jpeg", Size: 12}}},
		"metadata":                  {"under the sender's names", notice("message.updated", `"metadata": {"key1": "a", "n": 5}`), func(e *event.Event) any { return e.Metadata }, map[string]string{"key1": "a", "n": "5"}},
		"a grant that was changed":  {"nobody logged in", notice("grant.updated", `"reauthentication_flag": false`), func(e *event.Event) any { return e.Type }, event.AccountStatusChanged},
		"a grant that logged in":    {"the flag says so", notice("grant.updated", `"reauthentication_flag": true`), func(e *event.Event) any { return e.Type }, event.AccountAuthenticated},
		"the latest of the openers": {"in whatever order", notice("message.opened", `"recents": [{"ip": "192.0.2.2", "timestamp": 9}, {"ip": "192.0.2.1", "timestamp": 3}]`), func(e *event.Event) any { return e.IP }, "192.0.2.2"},
		"a link by its index":       {"it may be a text", notice("message.link_clicked", `"link_data": [{"url": "https://example.com/0"}, {"url": "https://example.com/1"}], "recents": [{"link_index": "1"}]`), func(e *event.Event) any { return e.URL }, "https://example.com/1"},
		"an index that is none":     {"no link is better than another", notice("message.link_clicked", `"link_data": [{"url": "https://example.com/0"}], "recents": [{"link_index": 7}]`), func(e *event.Event) any { return e.URL }, ""},
		"one before the first":      {"no panic", notice("message.link_clicked", `"link_data": [{"url": "https://example.com/0"}], "recents": [{"link_index": -1}]`), func(e *event.Event) any { return e.URL }, ""},
		"a click without an index":  {"the only link", notice("message.link_clicked", `"link_data": [{"url": "https://example.com/0"}]`), func(e *event.Event) any { return e.URL }, "https://example.com/0"},
		"an open has no link":       {"only clicks have", notice("message.opened", `"link_data": [{"url": "https://example.com/0"}]`), func(e *event.Event) any { return e.URL }, ""},
		"a reply":                   {"no name of ours", notice("thread.replied", `"message_id": "r", "root_message_id": "m"`), func(e *event.Event) any { return []string{e.ProviderMessageID, e.Details["root_message_id"]} }, []string{"r", "m"}},
		"the key of a message":      {"ids are those of a grant", created(`"id": "m"`), func(e *event.Event) any { return e.Key() }, "g/m"},
	} {
		e := decodeOne(t, c.body)
		if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
			t.Errorf("%s: %s: -want +got:\n%s", name, c.reason, diff)
		}
	}
}

// TestIdentity has what is one event and what is two.
func TestIdentity(t *testing.T) {
	t.Parallel()
	id := func(body string) string { return decodeOne(t, body).ID }
	first := notice("message.created", `"id": "m"`)
	if id(first) != id(strings.Replace(first, `_attempt": 1`, `_attempt": 2`, 1)) || id(first) != id(notice("message.created.truncated", ``)) {
		t.Error("attempts of one notification are two events")
	}
	if id(first) == id(strings.Replace(first, `"n1"`, `"n2"`, 1)) || id(first) == id(notice("message.updated", `"id": "m"`)) {
		t.Error("two notifications are one event")
	}
	without := strings.Replace(first, `"id": "n1", `, ``, 1)
	if id(without) != id(strings.Replace(without, `_attempt": 1`, `_attempt": 3`, 1)) {
		t.Error("attempts of a notification without an id are two events")
	}
	if id(without) == id(strings.Replace(without, `"id": "m"`, `"id": "o"`, 1)) {
		t.Error("two notifications without an id are one event")
	}
	if id(without) == id(strings.Replace(first, `"n1"`, `""`, 1)) && id(without) == id(first) {
		t.Error("no id is the same as another")
	}
}

func TestBodiesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing": ``, "a word": `hello`, "a form": `challenge=a`, "no name": `{"id": "n1", "data": {}}`, "null for the name": `{"type": null}`, "cut off": notice("a", ``)[:40],
		"two names": `{"type": "message.created", "type": "message.deleted"}`, "two objects": `{"type": "message.deleted", "data": {"object": {"id": "a", "id": "b"}}}`,
		"two notifications": notice("a", ``) + notice("a", ``), "a list": `[` + notice("a", ``) + `,` + notice("a", ``) + `]`,
	} {
		if b := decode(t, body); len(b.Events) != 0 || len(b.Undecodable) != 1 || string(b.Undecodable[0].Raw) != body || b.Undecodable[0].Reason == "" {
			t.Errorf("%s: %d events, %+v", name, len(b.Events), b.Undecodable)
		}
	}
}

// TestManyRecipients bounds what a short body becomes: each event keeps a copy of what is beside the list.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	list := strings.Repeat(`"a@example.com",`, 9_999) + `"b@example.com"`
	body := func(beside int) string {
		return notice("message.delivered", `"message": {"subject": "`+strings.Repeat("a", beside)+`"}, "delivered": {"recipients": [`+list+`]}`)
	}
	if b := decode(t, body(10)); len(b.Events) != 10_000 || b.Events[0].ID == b.Events[1].ID {
		t.Errorf("%d events, %+v", len(b.Events), b.Undecodable)
	}
	if b := decode(t, body(100_000)); len(b.Events) != 0 || len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, strconv.Itoa(10_000)) {
		t.Errorf("%d events of a body that becomes a gigabyte", len(b.Events))
	}
}
