package azurecommunicationservices_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/azurecommunicationservices"
)

// factsVariable names a folder with samples and vectors of providers. It is not part of the repository.
const factsVariable = "MAILVANE_PROVIDER_FACTS"

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := azurecommunicationservices.Kind().New([]byte(settings), provider.Environment{})
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

func report(data string) string {
	return `[{"id":"1","topic":"/subscriptions/a/x/acs","eventType":"Microsoft.Communication.EmailDeliveryReportReceived","eventTime":"2026-01-01T00:00:00Z","data":{` + data + `}}]`
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	bounced := func(typ event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: typ, Category: category}}
	}
	for name, c := range map[string]struct {
		status, message string
		want            event.Event
	}{
		"delivered":                   {"Delivered", "", event.Event{Type: event.Delivered}},
		"in capitals":                 {"DELIVERED", "", event.Event{Type: event.Delivered}},
		"a distribution group":        {"Expanded", "", event.Event{Type: event.Delivered}},
		"bounced, no reason":          {"Bounced", "", bounced(event.Hard, "")},
		"bounced, no such user":       {"Bounced", "550 5.1.1 user unknown", bounced(event.Hard, event.CategoryUserUnknown)},
		"bounced, a policy":           {"Bounced", "550 5.7.1 blocked", bounced(event.Soft, event.CategoryPolicy)},
		"bounced, a full mailbox":     {"Bounced", "452 4.2.2 mailbox full", bounced(event.Soft, event.CategoryMailboxFull)},
		"failed, no reason":           {"Failed", "", event.Event{Type: event.Failed}},
		"failed, in words":            {"Failed", "the message expired", event.Event{Type: event.Failed}},
		"failed at the server":        {"Failed", "451 4.4.0 timeout", bounced(event.Soft, event.CategoryConnection)},
		"failed, refused":             {"Failed", "554 5.1.2 no such domain", bounced(event.Hard, event.CategoryUserUnknown)},
		"suppressed":                  {"Suppressed", "", event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.SuppressedBounce}}},
		"quarantined":                 {"Quarantined", "quarantined as phish", bounced(event.Undetermined, event.CategorySpam)},
		"filtered as spam":            {"FilteredSpam", "Filtered as spam", bounced(event.Undetermined, event.CategorySpam)},
		"a status of the future":      {"OutForDelivery", "", bounced(event.Undetermined, "")},
		"no status":                   {"", "", event.Event{Type: event.Unknown}},
		"a status with a known reply": {"Later", "550 5.1.1 user unknown", bounced(event.Hard, event.CategoryUserUnknown)},
	} {
		e := decodeOne(t, report(`"status":"`+c.status+`","deliveryStatusDetails":{"statusMessage":"`+c.message+`"}`))
		if diff := cmp.Diff(c.want, event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	engagement := func(data string) string {
		return `{"id":"1","source":"/x/acs","specversion":"1.0","type":"microsoft.communication.EMAILengagementTrackingReportReceived","time":"2026-01-01T00:00:00Z","data":{` + data + `}}`
	}
	for name, c := range map[string]struct {
		reason, body string
		got          func(event.Event) any
		want         any
	}{
		"seven digits":             {"fractions of a second", report(`"status":"Delivered","deliveryAttemptTimeStamp":"2026-01-01T01:02:03.2855749Z"`), func(e event.Event) any { return e.Time.Nanosecond() }, 285574900},
		"another spelling":         {"SDKs take it", report(`"status":"Delivered","deliveryAttemptTimestamp":"2026-01-01T01:02:03Z"`), func(e event.Event) any { return e.Time.Hour() }, 1},
		"no time of the attempt":   {"that of the event counts", report(`"status":"Delivered"`), func(e event.Event) any { return e.TimeRaw }, "2026-01-01T00:00:00Z"},
		"no details":               {"older payloads", report(`"status":"Bounced"`), func(e event.Event) any { return e.Bounce.Type }, event.Hard},
		"no Message-ID":            {"before 2025", report(`"status":"Delivered","messageId":"m"`), func(e event.Event) any { return []any{e.MessageID, e.ProviderMessageID} }, []any{"", "m"}},
		"view":                     {"the documentation", engagement(`"engagementType":"view"`), func(e event.Event) any { return e.Type }, event.Opened},
		"View":                     {"its text", engagement(`"engagementType":"View"`), func(e event.Event) any { return e.Type }, event.Opened},
		"click":                    {"the context is the link", engagement(`"engagementType":"Click","engagementContext":"https://example.com/"`), func(e event.Event) any { return []any{e.Type, e.URL} }, []any{event.Clicked, "https://example.com/"}},
		"a context that is none":   {"only clicks have a link", engagement(`"engagementType":"view","engagementContext":"https://example.com/"`), func(e event.Event) any { return e.URL }, ""},
		"an engagement to come":    {"it flows", engagement(`"engagementType":"forward"`), func(e event.Event) any { return e.Type }, event.Unknown},
		"no recipient":             {"older payloads", engagement(`"engagementType":"view"`), func(e event.Event) any { return e.Recipient }, ""},
		"the resource":             {"the last part of its id", report(`"status":"Delivered"`), func(e event.Event) any { return []any{e.Account, e.Details["topic"]} }, []any{"acs", "/subscriptions/a/x/acs"}},
		"no source":                {"CloudEvents asks for one", `{"id":"1","type":"a"}`, func(e event.Event) any { return e.Account }, ""},
		"another event of Azure's": {"the topic has chats and calls", `[{"id":"1","eventType":"Microsoft.Communication.ChatMessageReceived","data":{}}]`, func(e event.Event) any { return e.Type }, event.Unknown},
		"data that is a text":      {"CloudEvents allows it", `{"id":"1","type":"Microsoft.Communication.EmailDeliveryReportReceived","data":"x"}`, func(e event.Event) any { return e.Type }, event.Unknown},
	} {
		if diff := cmp.Diff(c.want, c.got(decodeOne(t, c.body))); diff != "" {
			t.Errorf("%s: %s: -want +got:\n%s", name, c.reason, diff)
		}
	}
}

// TestIdentity has what is one event and what is two.
func TestIdentity(t *testing.T) {
	t.Parallel()
	id := func(body string) string { return decodeOne(t, body).ID }
	grid := `[{"id":"1","topic":"/X/acs","eventType":"Microsoft.Communication.Email","data":{}}]`
	if id(grid) != id(`{"id":"1","source":"/x/acs","type":"Microsoft.Communication.Email","data":{},"specversion":"1.0"}`) {
		t.Error("one event in both schemas is two")
	}
	for what, other := range map[string]string{
		"another id": strings.Replace(grid, `"1"`, `"2"`, 1), "another resource": strings.Replace(grid, "/X/acs", "/X/other", 1), "another type": strings.Replace(grid, "Email", "SMS", 1),
		"no id": strings.Replace(grid, `"id":"1",`, "", 1),
	} {
		if id(other) == id(grid) {
			t.Errorf("%s is the same event", what)
		}
	}
	if b := decode(t, `[{"id":"1","type":"a"},{"id":"1","type":"a"}]`); len(b.Events) != 2 || b.Events[0].ID == b.Events[1].ID {
		t.Errorf("twins of one request: %+v", b.Events)
	}
	if without := strings.Replace(grid, `"id":"1",`, "", 1); id(without) == id(strings.Replace(without, "{}", `{"a":1}`, 1)) {
		t.Error("two events without an id are one")
	}
}

func TestBodiesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body                string
		events, undecodable int
	}{
		"no type":            {`[{"id":"1"}]`, 0, 1},
		"a neighbour":        {`[{"id":"1"},{"id":"2","type":"a"},5]`, 1, 2},
		"two statuses":       {report(`"status":"Delivered","status":"Bounced"`), 0, 1},
		"an empty array":     {`[]`, 0, 0},
		"a sentence":         {`hello`, 0, 1},
		"cut off":            {`[{"id":"1","type":"a"},{"id"`, 1, 1},
		"base64 for data":    {`{"id":"1","type":"a","data_base64":"aGVsbG8="}`, 1, 0},
		"an array in arrays": {`[[{"id":"1","type":"a"}]]`, 0, 1},
	} {
		if b := decode(t, c.body); len(b.Events) != c.events || len(b.Undecodable) != c.undecodable {
			t.Errorf("%s: %d events, %+v", name, len(b.Events), b.Undecodable)
		}
	}
}

// TestDocumentedBodies decodes the bodies of the provider's pages.
func TestDocumentedBodies(t *testing.T) {
	t.Parallel()
	facts := os.Getenv(factsVariable)
	if facts == "" {
		t.Skipf("set %s to a folder of samples and vectors", factsVariable)
	}
	bodies, err := filepath.Glob(filepath.Join(facts, "samples/azure/*.json"))
	if err != nil || len(bodies) == 0 {
		t.Fatalf("%d bodies: %v", len(bodies), err)
	}
	for _, path := range bodies {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(filepath.Base(path), "validation.") {
			if b := decode(t, string(body)); b.Reply == nil || !strings.Contains(string(b.Reply.Body), "512d38b6-c7b8-40c8-89fe-f46f9e9622b6") || len(b.Events)+len(b.Undecodable)+b.Refused != 0 {
				t.Errorf("%s: %+v", path, b)
			}
			continue
		}
		if e := decodeOne(t, string(body)); e.Type == event.Unknown || e.Recipient != "recipient@example.com" || e.ProviderMessageID == "" {
			t.Errorf("%s: %+v", path, e)
		}
	}
}
