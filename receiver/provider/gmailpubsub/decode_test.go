package gmailpubsub_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/gmailpubsub"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decodeWith(t testing.TB, header http.Header, body string) provider.Batch {
	t.Helper()
	w, err := gmailpubsub.Kind().New([]byte(`{}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w.Decode(&provider.Request{Header: header, Body: []byte(body), ReceivedAt: received()})
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return decodeWith(t, nil, body)
}

// oneWith returns the event of a request, and decodes what is kept of it again.
func oneWith(t testing.TB, header http.Header, body string) event.Event {
	t.Helper()
	b := decodeWith(t, header, body)
	if len(b.Events) != 1 || len(b.Undecodable)+b.Refused != 0 || b.Reply != nil {
		t.Fatalf("%s: %d events, undecodable %+v; want one event", body, len(b.Events), b.Undecodable)
	}
	if diff := cmp.Diff(b.Events, decodeWith(t, header, string(b.Events[0].Raw)).Events); diff != "" {
		t.Errorf("what is kept is another event:\n%s", diff)
	}
	return b.Events[0]
}

func one(t testing.TB, body string) event.Event {
	t.Helper()
	return oneWith(t, nil, body)
}

const notice = `{"emailAddress":"user@example.com","historyId":9876543210}`

// wrapped returns a message in the envelope of Pub/Sub, with more members of its own.
func wrapped(data, more string) string {
	return `{"message":{"data":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `","messageId":"1","publishTime":"2026-01-01T00:00:00.749Z"` + more + `},"subscription":"projects/p/subscriptions/s"}`
}

// metadata are the headers of a message without its envelope.
func metadata(id, published string) http.Header {
	h := http.Header{}
	h.Set("x-goog-pubsub-subscription-name", "projects/p/subscriptions/s")
	h.Set("x-goog-pubsub-message-id", id)
	h.Set("x-goog-pubsub-publish-time", published)
	return h
}

func TestForms(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 749_000_000, time.UTC)
	for name, c := range map[string]struct {
		header http.Header
		body   string
		want   event.Event
	}{
		"in the envelope": {nil, wrapped(notice, ""), event.Event{
			Time: at, TimeRaw: "2026-01-01T00:00:00.749Z", ProviderEventID: "1", Details: map[string]string{"historyId": "9876543210", "subscription": "projects/p/subscriptions/s"},
		}},
		"the envelope of older clients": {nil, strings.NewReplacer("messageId", "message_id", "publishTime", "publish_time").Replace(wrapped(notice, "")), event.Event{
			Time: at, TimeRaw: "2026-01-01T00:00:00.749Z", ProviderEventID: "1", Details: map[string]string{"historyId": "9876543210", "subscription": "projects/p/subscriptions/s"},
		}},
		"without it, with headers": {metadata("1", "2026-01-01T00:00:00.749Z"), notice, event.Event{
			Time: at, TimeRaw: "2026-01-01T00:00:00.749Z", ProviderEventID: "1", Details: map[string]string{"historyId": "9876543210", "subscription": "projects/p/subscriptions/s"},
		}},
		"without it and without headers": {nil, notice, event.Event{Time: received(), TimeImplausible: true, Details: map[string]string{"historyId": "9876543210"}}},
		"headers of a stranger beside the envelope": {metadata("2", "1999-01-01T00:00:00Z"), wrapped(notice, ""), event.Event{
			Time: at, TimeRaw: "2026-01-01T00:00:00.749Z", ProviderEventID: "1", Details: map[string]string{"historyId": "9876543210", "subscription": "projects/p/subscriptions/s"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := oneWith(t, c.header, c.body)
			c.want.ID, c.want.Raw = got.ID, got.Raw
			c.want.Type, c.want.Provider, c.want.Account = event.MailboxChanged, gmailpubsub.Type, "user@example.com"
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.ID != one(t, notice).ID {
				t.Error("one point of a mailbox's history has an id for each form")
			}
		})
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		got  func(*event.Event) any
		want any
	}{
		"a history id as a text":          {wrapped(`{"emailAddress":"user@example.com","historyId":"9876543210"}`, ""), func(e *event.Event) any { return []any{e.Type, e.Details["historyId"]} }, []any{event.MailboxChanged, "9876543210"}},
		"one of 64 bits":                  {wrapped(`{"emailAddress":"user@example.com","historyId":18446744073709551615}`, ""), func(e *event.Event) any { return e.Details["historyId"] }, "18446744073709551615"},
		"one that is no number":           {wrapped(`{"emailAddress":"user@example.com","historyId":"abc"}`, ""), func(e *event.Event) any { return e.Type }, event.MailboxChanged},
		"an address in capitals":          {wrapped(`{"emailAddress":"User@EXAMPLE.com","historyId":1}`, ""), func(e *event.Event) any { return e.Account }, "User@example.com"},
		"no history id":                   {wrapped(`{"emailAddress":"user@example.com"}`, ""), func(e *event.Event) any { return []any{e.Type, e.Account} }, []any{event.Unknown, "user@example.com"}},
		"null":                            {wrapped(`{"emailAddress":null,"historyId":null}`, ""), func(e *event.Event) any { return []any{e.Type, e.Account} }, []any{event.Unknown, ""}},
		"a notification with more":        {wrapped(`{"emailAddress":"user@example.com","historyId":1,"labels":["INBOX"]}`, ""), func(e *event.Event) any { return e.Type }, event.MailboxChanged},
		"a sentence of the console":       {wrapped("hello", ""), func(e *event.Event) any { return []any{e.Type, e.ProviderEventID} }, []any{event.Unknown, "1"}},
		"attributes alone":                {`{"message":{"attributes":{"a":"b"},"messageId":"1"},"subscription":"s"}`, func(e *event.Event) any { return []any{e.Type, e.Metadata} }, []any{event.Unknown, map[string]string{"a": "b"}}},
		"data that is no text":            {wrapped("\xff\x00\xfe", ""), func(e *event.Event) any { return e.Type }, event.Unknown},
		"JSON that breaks off":            {wrapped(`{"emailAddress":"user@example.com","hist`, ""), func(e *event.Event) any { return []any{e.Type, e.Account} }, []any{event.Unknown, ""}},
		"base64 of URLs, without padding": {`{"message":{"data":"` + base64.RawURLEncoding.EncodeToString([]byte(`{"x":"????>>>>",`+notice[1:])) + `"}}`, func(e *event.Event) any { return e.Type }, event.MailboxChanged},
		"a subscription's dead letters":   {strings.Replace(wrapped(notice, ""), `{"message"`, `{"deliveryAttempt":5,"message"`, 1), func(e *event.Event) any { return e.Type }, event.MailboxChanged},
		"a message that is a text":        {`{"message":"hello"}`, func(e *event.Event) any { return e.Type }, event.Unknown},
		"no time":                         {`{"message":{"data":""}}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"a mark in the data":              {wrapped("\ufeff"+notice, ""), func(e *event.Event) any { return e.Type }, event.MailboxChanged},
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

// TestIdentity has what is one event and what is two. Neither the id of Pub/Sub nor its time counts for a notification: they are another
// for each topic and subscription, and whoever holds a token can write any.
func TestIdentity(t *testing.T) {
	t.Parallel()
	first := one(t, wrapped(notice, "")).ID
	for what, body := range map[string]string{
		"delivered again":              strings.Replace(wrapped(notice, ""), `{"message"`, `{"deliveryAttempt":2,"message"`, 1),
		"published to another topic":   strings.Replace(wrapped(notice, ""), `"messageId":"1"`, `"messageId":"2"`, 1),
		"by another subscription":      strings.Replace(wrapped(notice, ""), `subscriptions/s`, `subscriptions/t`, 1),
		"a history id as a text":       wrapped(`{"emailAddress":"user@example.com","historyId":"9876543210"}`, ""),
		"the address in other letters": wrapped(`{"historyId":9876543210,"emailAddress":"USER@EXAMPLE.COM"}`, ""),
	} {
		if one(t, body).ID != first {
			t.Errorf("%s, it is another event", what)
		}
	}
	for what, data := range map[string]string{
		"a later point": strings.Replace(notice, "3210", "3211", 1), "another mailbox": strings.Replace(notice, "user@", "other@", 1),
		"no history": `{"emailAddress":"user@example.com"}`, "digits of the one in the other": `{"emailAddress":"user@example.com9","historyId":876543210}`,
	} {
		if one(t, wrapped(data, "")).ID == first {
			t.Errorf("%s is the same event under the same messageId", what)
		}
	}
}

// TestIdentityOfOthers has messages that are not Gmail's: all that was posted counts, but not the number of the attempt.
func TestIdentityOfOthers(t *testing.T) {
	t.Parallel()
	hello := wrapped("hello", "")
	if one(t, hello).ID != one(t, strings.Replace(hello, `{"message"`, `{"deliveryAttempt":2,"message"`, 1)).ID {
		t.Error("delivered again, it is another event")
	}
	for what, other := range map[string]string{"another message": strings.Replace(hello, `"1"`, `"2"`, 1), "other words": wrapped("hallo", ""), "an attribute": wrapped("hello", `,"attributes":{"a":"b"}`)} {
		if one(t, other).ID == one(t, hello).ID {
			t.Errorf("%s is the same event", what)
		}
	}
	const other = `{"user":"x"}`
	at := "2026-01-01T00:00:00Z"
	if a, b := oneWith(t, metadata("1", at), other), oneWith(t, metadata("2", at), other); a.ID == b.ID {
		t.Error("without an envelope, two messages of the same words are one")
	}
	if a, b := oneWith(t, metadata("1", at), other), oneWith(t, metadata("1", at), other); a.ID != b.ID {
		t.Error("without an envelope, a message that is delivered again is two")
	}
}

func TestBodiesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, reason string }{
		"nothing":                     {"", ""},
		"a sentence without envelope": {"hello", ""},
		"a list":                      {"[" + wrapped(notice, "") + "]", ""},
		"no base64":                   {`{"message":{"data":"%%%"}}`, "base64"},
		"two mailboxes":               {wrapped(`{"emailAddress":"a@example.com","emailAddress":"b@example.com","historyId":1}`, ""), "emailAddress"},
		"two histories":               {`{"emailAddress":"a@example.com","historyId":1,"historyId":2}`, "historyId"},
		"two messages":                {`{"message":{"data":"YQ=="},"message":{"data":"Yg=="}}`, "message"},
		"cut off":                     {wrapped(notice, "")[:60], ""},
	} {
		b := decode(t, c.body)
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, c.reason) || string(b.Undecodable[0].Raw) != c.body {
			t.Errorf("%s: %d events, %+v", name, len(b.Events), b.Undecodable)
		}
	}
}

// TestDocumentedBodies decodes the bodies of the provider's pages.
func TestDocumentedBodies(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "samples/mailbox/gmail-*.json") {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if e := one(t, string(body)); e.Type != event.MailboxChanged || e.Account != "user@example.com" || e.Details["historyId"] != "9876543210" || e.ProviderEventID != "2070443601311540" {
			t.Errorf("%s: %+v", path, e)
		}
	}
}
