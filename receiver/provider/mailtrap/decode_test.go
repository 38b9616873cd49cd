package mailtrap_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailtrap"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := mailtrap.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t, `{}`).Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
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
	return `{"event": "` + name + `", "timestamp": 1767261600, "email": "a@example.com"` + rest + `}`
}

// outcome is what an event says of a message.
func outcome(e event.Event) event.Event {
	return event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
}

// TestOutcomes has every event that says what became of a message.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	bounced := func(t event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: t, Category: category}}
	}
	rejected := func(reason event.RejectReason) event.Event {
		return event.Event{Type: event.Rejected, Reject: event.Reject{Reason: reason}}
	}
	deferred := event.Event{Type: event.Deferred}
	for name, c := range map[string]struct {
		body string
		want event.Event
	}{
		"a soft bounce will be tried again":   {item("soft bounce", `, "bounce_category": "greylisting", "response_code": 451`), deferred},
		"the name that the API has for it":    {item("soft_bounce", ``), deferred},
		"a limit that will pass":              {item("suspension", `, "reason": "daily limit"`), deferred},
		"no such mailbox":                     {item("bounce", `, "response": "5.1.1 unknown", "response_code": 550`), bounced(event.Hard, "user_unknown")},
		"a reply with its code":               {item("bounce", `, "response": "550 5.1.1 unknown"`), bounced(event.Hard, "user_unknown")},
		"a bounce, and nothing else":          {item("bounce", ``), bounced(event.Hard, "other")},
		"refused as spam":                     {item("bounce", `, "bounce_category": "spam", "response_code": 555`), bounced(event.Soft, "spam")},
		"refused by policy":                   {item("bounce", `, "response": "5.7.1 policy"`), bounced(event.Soft, "policy")},
		"a category that only Mailtrap has":   {item("bounce", `, "bounce_category": "BadMailbox"`), bounced(event.Hard, "badmailbox")},
		"given up after it was full for long": {item("bounce", `, "response": "4.2.2 full"`), bounced(event.Soft, "mailbox_full")},
		"null for all of it":                  {item("bounce", `, "response": null, "response_code": null, "bounce_category": null`), bounced(event.Hard, "other")},
		"suppressed by an unsubscription":     {item("reject", `, "reason": "Recipient in suppression list. Reason: unsubscription"`), rejected(event.UnsubscribedAddress)},
		"suppressed by a bounce":              {item("reject", `, "reason": "Recipient in suppression list. Reason: Hard Bounce"`), rejected(event.SuppressedBounce)},
		"suppressed by a complaint":           {item("reject", `, "reason": "Recipient in suppression list. Reason: spam complaint"`), rejected(event.SuppressedComplaint)},
		"suppressed, nobody says why":         {item("reject", `, "reason": "Recipient in suppression list."`), rejected(event.OtherReason)},
		"not sent, nobody says why":           {item("reject", ``), rejected(event.OtherReason)},
		"a complaint":                         {item("spam", ``), event.Event{Type: event.Complained}},
		"the name that the API has for one":   {item("spam_complaint", ``), event.Event{Type: event.Complained}},
		"a name in capitals":                  {item("DELIVERY", ``), event.Event{Type: event.Delivered}},
		"a name that is new":                  {item("archived", ``), event.Event{Type: event.Unknown}},
		"no name":                             {`{"inbox": 7}`, event.Event{Type: event.Unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, outcome(decodeOne(t, c.body))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"a time as a text":           {strings.Replace(item("open", ``), "1767261600", `"1767261600"`, 1), func(e *event.Event) any { return e.Time }, time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)},
		"no time":                    {`{"event": "open"}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"a code as a text":           {item("bounce", `, "response_code": "550"`), func(e *event.Event) any { return e.SMTPCode }, 550},
		"a code that is none":        {item("bounce", `, "response_code": 5, "response": "451 4.7.1 later"`), func(e *event.Event) any { return []any{e.SMTPCode, e.EnhancedCode} }, []any{451, "4.7.1"}},
		"no category":                {item("open", `, "category": null`), func(e *event.Event) any { return e.Tags }, []string(nil)},
		"variables of all kinds":     {item("open", `, "custom_variables": {"a": 1, "b": true, "c": {"d": 2}, "e": null}`), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "1", "b": "true", "c": `{"d": 2}`}},
		"variables that are none":    {item("open", `, "custom_variables": []`), func(e *event.Event) any { return e.Metadata }, map[string]string(nil)},
		"an address with its name":   {`{"event": "open", "email": "A <a@EXAMPLE.com>"}`, func(e *event.Event) any { return e.Recipient }, "a@example.com"},
		"one event in a list alone":  {`[` + item("click", `, "url": "https://example.com/"`) + `]`, func(e *event.Event) any { return e.URL }, "https://example.com/"},
		"one event over some lines":  {"\n{\r\n\"event\":\n\"open\"\n}\n", func(e *event.Event) any { return e.Type }, event.Opened},
		"what an event is kept as":   {`{"events": [ {"event": "open", "a": 1.0} ]}`, func(e *event.Event) any { return string(e.Raw) }, `{"event": "open", "a": 1.0}`},
		"more beside the list of it": {`{"account": 1, "events": [{"event": "open"}]}`, func(e *event.Event) any { return e.Type }, event.Opened},
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

// TestBatches has several events in both forms, one of them broken.
func TestBatches(t *testing.T) {
	t.Parallel()
	opened, clicked := item("open", `, "event_id": "1"`), item("click", `, "event_id": "2"`)
	for name, c := range map[string]struct {
		body           string
		events, broken int
	}{
		"a list":                          {`{"events": [` + opened + `, 5, ` + clicked + `]}`, 2, 1},
		"a list of none":                  {`{"events": []}`, 0, 0},
		"lines":                           {opened + "\n" + clicked, 2, 0},
		"lines of Windows, and blanks":    {opened + "\r\n\r\n" + clicked + "\r\n", 2, 0},
		"a line that breaks off":          {opened + "\n{\"event\": \"open\n" + clicked, 2, 1},
		"a line that is no object":        {opened + "\n5\n" + clicked, 2, 1},
		"a name twice in an event":        {`{"events": [{"event": "open", "event": "click"}, ` + clicked + `]}`, 1, 1},
		"lists on lines":                  {`{"events": [` + opened + `]}` + "\n" + clicked, 1, 1},
		"a list in a list":                {`{"events": [{"events": [` + opened + `]}]}`, 0, 1},
		"two lists":                       {`{"events": [` + opened + `], "events": []}`, 0, 1},
		"no list":                         {`{"events": null}`, 0, 1},
		"an object in place of the list":  {`{"events": ` + opened + `}`, 0, 1},
		"a list that breaks off":          {`{"events": [` + opened + `, `, 0, 1},
		"nothing":                         {``, 0, 1},
		"a word":                          {`hello`, 0, 1},
		"a form":                          {`event=open`, 0, 1},
		"twins are told apart":            {`{"events": [` + item("open", ``) + `, ` + item("open", ``) + `]}`, 2, 0},
		"what is sent twice in one batch": {`{"events": [` + opened + `, ` + opened + `]}`, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := decode(t, c.body)
			if len(b.Events) != c.events || len(b.Undecodable) != c.broken {
				t.Errorf("%d events, undecodable %+v", len(b.Events), b.Undecodable)
			}
			if len(b.Events) == 2 && b.Events[0].ID == b.Events[1].ID {
				t.Error("two events share an id")
			}
		})
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	id := func(body string) string { return decodeOne(t, body).ID }
	opened := item("open", `, "event_id": "1"`)
	if id(opened) != id(`{"events": [`+strings.Replace(opened, "1767261600", "1767261601", 1)+"]}") {
		t.Error("one event in the other form has another id")
	}
	if id(opened) == id(item("click", `, "event_id": "1"`)) {
		t.Error("two kinds of events with one event_id share an id")
	}
	if id(item("open", `, "event_id": null, "ip": "192.0.2.1"`)) == id(item("open", `, "event_id": null, "ip": "192.0.2.2"`)) {
		t.Error("without an event_id, two events share an id")
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"bounce": event.Bounced, "click": event.Clicked, "delivery": event.Delivered, "open": event.Opened, "soft_bounce": event.Deferred,
		"spam": event.Complained, "suspension": event.Deferred, "unsubscribe": event.Unsubscribed,
	}
	for _, path := range providertest.Facts(t, "samples/mailtrap/*.body.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		e := decodeOne(t, read(t, path))
		if e.Type != want[name] || e.Recipient == "" || e.ProviderMessageID == "" || e.TimeImplausible || len(e.Metadata) != 2 || len(e.Tags) != 1 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
