package loops_test

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/loops"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func receipt() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	w, err := loops.Kind().New([]byte(`{"signingSecrets": ["`+secret+`"]}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w.Decode(&provider.Request{Body: []byte(body), ReceivedAt: receipt()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// named returns an event of a name with more members.
func named(name, rest string) string {
	return `{"eventName": "` + name + `", "eventTime": 1767261600` + rest + `}`
}

func TestTypes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]event.Type{
		"email.softBounced": event.Deferred, "EMAIL.HARDBOUNCED": event.Bounced, "email.spamReported": event.Complained, "testing.testEvent": event.Test,
		"contact.created": event.Unknown, "contact.deleted": event.Unknown, "contact.unsubscribed": event.Unsubscribed, "contact.mailingList.subscribed": event.Resubscribed,
		"contact.mailingList.unsubscribed": event.Unsubscribed, "email.resubscribed": event.Resubscribed, "loop.email.sent": event.Sent, "email.archived": event.Unknown,
	} {
		if e := decodeOne(t, named(name, ``)); e.Type != want || e.ProviderEvent != name {
			t.Errorf("%s is %s, want %s", name, e.Type, want)
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rest string
		get  func(*event.Event) any
		want any
	}{
		"no user":                 {`, "contactIdentity": {"email": "a@EXAMPLE.com", "userId": null}`, func(e *event.Event) any { return []any{e.Recipient, e.Details["userId"]} }, []any{"a@example.com", ""}},
		"a user that is a number": {`, "contactIdentity": {"userId": 111}`, func(e *event.Event) any { return e.Details["userId"] }, "111"},
		"no contact":              {`, "contactIdentity": null, "email": null, "mailingList": []`, func(e *event.Event) any { return []any{e.Recipient, e.Subject} }, []any{"", ""}},
		"a hard bounce":           {``, func(e *event.Event) any { return e.Bounce }, event.Bounce{Type: event.Hard, Category: "other"}},
		"a time in seconds":       {``, func(e *event.Event) any { return e.Time }, time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)},
		"an email of a campaign": {`, "email": {"id": "e", "emailMessageId": "m"}, "campaignId": "c"`, func(e *event.Event) any {
			return []any{e.ProviderMessageID, e.Details["emailMessageId"], e.Details["campaignId"]}
		}, []any{"e", "m", "c"}},
		"what is sent with a list": {`, "mailingList": {"id": "l", "name": "News"}`, func(e *event.Event) any { return e.Details["mailingListId"] }, "l"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, named("email.hardBounced", c.rest))
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``: "expected a JSON object", `[]`: "expected a JSON object", `{}`: "the member eventName is missing", `{"eventName": 5, "eventName": 6}`: `the member "eventName" occurs twice, with different values`,
	} {
		b := decode(t, body)
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || b.Undecodable[0].Reason != want {
			t.Errorf("%s: %+v, want %q", body, b, want)
		}
	}
}

// TestIDs has what is decoded without its headers: its id rests on all that it says.
func TestIDs(t *testing.T) {
	t.Parallel()
	if decodeOne(t, named("email.opened", ``)).ID == decodeOne(t, named("email.opened", `, "email": {"id": "e"}`)).ID {
		t.Error("two events share an id")
	}
}

// TestBodiesOfTheFacts decodes a body of an event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "samples/marketing/loops-*.body.json") {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if e := decodeOne(t, string(body)); e.Type != event.Bounced || e.Recipient == "" || e.ProviderMessageID == "" || e.Details["sourceType"] != "transactional" {
			t.Errorf("%s: %+v", path, e)
		}
	}
}
