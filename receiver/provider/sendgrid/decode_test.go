package sendgrid_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t, `{}`).Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, item string) event.Event {
	t.Helper()
	b := decode(t, "["+item+"]\r\n")
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// item returns an event of a message with more members.
func item(name, more string) string {
	return `{"email":"a@example.com","timestamp":1767225600,"event":"` + name + `","sg_event_id":"e1","sg_message_id":"m1.filter1.2"` + more + `}`
}

func TestOddities(t *testing.T) {
	t.Parallel()
	bounced := func(t event.BounceType, category string) event.Bounce {
		return event.Bounce{Type: t, Category: category}
	}
	for name, c := range map[string]struct {
		item string
		get  func(*event.Event) any
		want any
	}{
		"a category as a text":                        {item("open", `,"category":"news"`), func(e *event.Event) any { return e.Tags }, []string{"news"}},
		"categories as a list":                        {item("open", `,"category":["a","",null,"b"]`), func(e *event.Event) any { return e.Tags }, []string{"a", "b"}},
		"categories as a list in a text":              {item("open", `,"category":"[\"a\",\"b\"]"`), func(e *event.Event) any { return e.Tags }, []string{"a", "b"}},
		"no category":                                 {item("open", `,"category":null`), func(e *event.Event) any { return len(e.Tags) }, 0},
		"a time as a text":                            {`{"event":"open","timestamp":"1767225600"}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), false}},
		"no time":                                     {`{"event":"open"}`, func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"a Message-ID without brackets":               {item("delivered", `,"smtp-id":"id@example.com"`), func(e *event.Event) any { return e.MessageID }, "id@example.com"},
		"a message id with a blank before it":         {`{"event":"delivered","sg_message_id":" m1.filter1.2"}`, func(e *event.Event) any { return e.ProviderMessageID }, "m1"},
		"an id with dots of its own":                  {`{"event":"delivered","sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648"}`, func(e *event.Event) any { return e.ProviderMessageID }, "14c5d75ce93.dfd.64b469"},
		"what a newer server adds":                    {`{"event":"delivered","sg_message_id":"m.1.recvd-5b7-1"}`, func(e *event.Event) any { return e.ProviderMessageID }, "m.1"},
		"what another server adds":                    {`{"event":"delivered","sg_message_id":"m1.other-5b7-1.0"}`, func(e *event.Event) any { return e.ProviderMessageID }, "m1"},
		"nothing before it":                           {`{"event":"dropped","sg_message_id":"filter0093p1las1.9128.0"}`, func(e *event.Event) any { return e.ProviderMessageID }, "filter0093p1las1.9128.0"},
		"nothing but a dot":                           {`{"event":"dropped","sg_message_id":".filter1"}`, func(e *event.Event) any { return e.ProviderMessageID }, ".filter1"},
		"an event id of more than 100 bytes":          {`{"event":"open","sg_event_id":"` + strings.Repeat("x", 120) + `"}`, func(e *event.Event) any { return len(e.ProviderEventID) }, 120},
		"arguments of any kind":                       {item("open", `,"a":1,"b":true,"c":{"d":1},"e":[1,"2"],"f":null`), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "1", "b": "true", "c": `{"d":1}`, "e": `[1,"2"]`}},
		"arguments called as members of other events": {item("open", `,"type":"welcome","reason":"x","status":"new","url":"u","from":"f","response":"r","send_at":"1"`), func(e *event.Event) any { return []any{len(e.Details), e.Metadata, e.URL, e.Reason} }, []any{1, map[string]string{"type": "welcome", "reason": "x", "status": "new", "url": "u", "from": "f", "response": "r", "send_at": "1"}, "", ""}},
		"a template of the sender's":                  {item("processed", `,"template_id":"t"`), func(e *event.Event) any { return e.Metadata }, map[string]string{"template_id": "t"}},
		"a template of Marketing Campaigns":           {item("processed", `,"template_id":"t","mc_stats":"singlesend"`), func(e *event.Event) any { return len(e.Metadata) }, 0},
		"an event that is not known keeps all":        {item("teleported", `,"url":"u","order":"1"`), func(e *event.Event) any { return []any{e.Type, e.URL, e.Metadata} }, []any{event.Unknown, "u", map[string]string{"order": "1"}}},
		"spam report, as the page prints it":          {item("spam report", ""), func(e *event.Event) any { return e.Type }, event.Complained},
		"a bounce without a type":                     {item("bounce", `,"status":"4.2.2"`), func(e *event.Event) any { return e.Bounce }, bounced(event.Soft, "mailbox_full")},
		"a bounce with nothing":                       {item("bounce", ``), func(e *event.Event) any { return e.Bounce }, bounced(event.Undetermined, "other")},
		"a bounce of another type":                    {item("bounce", `,"type":"expired","status":"5.1.1"`), func(e *event.Event) any { return e.Bounce }, bounced(event.Undetermined, "user_unknown")},
		"a block of an address":                       {item("bounce", `,"type":"Blocked","bounce_classification":"Content"`), func(e *event.Event) any { return e.Bounce }, bounced(event.Soft, "content")},
		"a status that is a code":                     {item("bounce", `,"type":"bounce","status":"550"`), func(e *event.Event) any { return []any{e.SMTPCode, e.EnhancedCode} }, []any{550, ""}},
		"a status that is none":                       {item("bounce", `,"type":"bounce","status":"XYZ HTTP","reason":"550 5.1.1 no"`), func(e *event.Event) any { return []any{e.SMTPCode, e.EnhancedCode, e.Details["status"]} }, []any{550, "5.1.1", "XYZ HTTP"}},
		"a deferral with a reason":                    {item("deferred", `,"reason":"421 later","attempt":3`), func(e *event.Event) any { return []any{e.SMTPCode, e.Diagnostic, e.Details["attempt"]} }, []any{421, "421 later", "3"}},
		"whether it was encrypted, as a truth":        {item("delivered", `,"tls":true`), func(e *event.Event) any { return e.Details["tls"] }, "true"},
		"the address that sent is nobody's who read":  {item("delivered", `,"ip":"192.0.2.1"`), func(e *event.Event) any { return []any{e.IP, e.Details["ip"]} }, []any{"", "192.0.2.1"}},
		"an address in brackets":                      {`{"event":"open","email":"A <a@EXAMPLE.com>"}`, func(e *event.Event) any { return e.Recipient }, "a@example.com"},
		"the test's recipient of another message":     {`{"event":"open","email":"example@test.com","sg_message_id":"m1.filter"}`, func(e *event.Event) any { return e.Type }, event.Opened},
		"the test's message to somebody":              {`{"event":"open","email":"a@example.com","sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.0"}`, func(e *event.Event) any { return e.Type }, event.Opened},
		"an account without a recipient":              {`{"event":"account_status_change","type":"reactivate","timestamp":1767225600}`, func(e *event.Event) any { return []any{e.Type, e.Reason, e.Recipient} }, []any{event.AccountStatusChanged, "reactivate", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, c.item)
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestTables holds what classifications and reasons mean, in any letter case.
func TestTables(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Invalid Address": "user_unknown", "Technical": "connection", "Technical Failure": "connection", "Content": "content", "Reputation": "reputation",
		"Frequency/Volume": "policy", "Frequency or Volume Too High": "policy", "Mailbox Unavailable": "mailbox_full", "Unclassified": "other", "New": "other",
	} {
		for _, spelled := range []string{text, strings.ToLower(text)} {
			if e := decodeOne(t, item("bounce", `,"type":"bounce","bounce_classification":"`+spelled+`"`)); e.Bounce != (event.Bounce{Type: event.Hard, Category: want}) {
				t.Errorf("%s: %+v, want %s", spelled, e.Bounce, want)
			}
		}
	}
	for text, want := range map[string]event.RejectReason{
		"Bounced Address": event.SuppressedBounce, "Unsubscribed Address": event.UnsubscribedAddress, "Spam Reporting Address": event.SuppressedComplaint,
		"Invalid": event.InvalidAddress, "Invalid Address": event.InvalidAddress, "Spam Content": event.PolicyViolation,
		"Recipient List over Package Quota": event.PolicyViolation, "Invalid SMTPAPI header": event.OtherReason, "": event.OtherReason,
	} {
		for _, spelled := range []string{text, strings.ToUpper(text)} {
			if e := decodeOne(t, item("dropped", `,"reason":"`+spelled+`"`)); e.Type != event.Rejected || e.Reject.Reason != want || e.Reason != spelled {
				t.Errorf("%s: %s, %+v, %q; want %s", spelled, e.Type, e.Reject, e.Reason, want)
			}
		}
	}
}

// TestBadBodies has what is authentic and cannot be read. What stands beside it is.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	open, click := item("open", ""), item("click", "")
	for name, c := range map[string]struct {
		reason, body string
		events       int
		undecodable  []string
	}{
		"nothing":             {"no probe is signed", "", 0, []string{"expected a JSON object or array"}},
		"a sentence":          {"", "hello", 0, []string{"expected a JSON object or array"}},
		"no event":            {"", "[]", 0, nil},
		"cut off":             {"the first can be read", "[" + open + `,{"event":"cl`, 1, []string{"invalid JSON: ends early, at byte 127"}},
		"a number in between": {"its neighbours can be read", "[" + open + ",5," + click + "]", 2, []string{"expected a JSON object"}},
		"one without a name":  {"its neighbours can be read", "[" + open + `,{"timestamp":1},` + click + "]", 2, []string{"the member event is missing"}},
		"a name that is none": {"", `[{"event":["open"]}]`, 0, []string{"the member event is missing"}},
		"two names for one":   {"nobody knows which counts", `[{"event":"open","event":"click"}]`, 0, []string{`the member "event" occurs twice, with different values`}},
		"one without a list":  {"it is clear what it is", open, 1, nil},
		"a form of another":   {"Inbound Parse posts parts", "from=a%40example.com", 0, []string{"expected a JSON object or array"}},
	} {
		b := decode(t, c.body)
		var reasons []string
		for _, u := range b.Undecodable {
			reasons = append(reasons, u.Reason)
		}
		if diff := cmp.Diff(c.undecodable, reasons); diff != "" || len(b.Events) != c.events {
			t.Errorf("%s: %d events: %s: -want +got:\n%s", name, len(b.Events), c.reason, diff)
		}
	}
}

// TestIDs has what is told again, which is one event, and what happens again, which is another.
func TestIDs(t *testing.T) {
	t.Parallel()
	renamed := func(item string) string { return strings.Replace(item, `"e1"`, `"e2"`, 1) }
	late := `{"email":"a@example.com","timestamp":1767225600,"event":"bounce","type":"bounce","sg_event_id":"e1","sg_message_id":""}`
	for name, c := range map[string]struct {
		reason, one, other string
		same               bool
	}{
		"a bounce under another name":    {"SendGrid renames at a retry", item("bounce", ""), renamed(item("bounce", "")), true},
		"a delivery under another name":  {"SendGrid renames at a retry", item("delivered", ""), renamed(item("delivered", "")), true},
		"an open under another name":     {"people open twice in a second", item("open", ""), renamed(item("open", "")), false},
		"a click under another name":     {"people click twice in a second", item("click", ""), renamed(item("click", "")), false},
		"unknown, under another name":    {"nobody knows how often it happens", item("teleported", ""), renamed(item("teleported", "")), false},
		"a bounce of no message":         {"two messages may bounce at once", late, renamed(late), false},
		"another attempt in that second": {"each is a fact", item("deferred", `,"attempt":"1"`), item("deferred", `,"attempt":"2"`), false},
		"another link in that second":    {"each is a fact", item("click", `,"url":"a"`), item("click", `,"url":"b"`), false},
		"written in other bytes":         {"no more is said", item("open", `,"a":"é"`), strings.ReplaceAll(item("open", `,"a":"\u00e9"`), ",", " , "), true},
	} {
		if same := decodeOne(t, c.one).ID == decodeOne(t, c.other).ID; same != c.same {
			t.Errorf("%s: the same: %v, want %v: %s", name, same, c.same, c.reason)
		}
	}
}

// TestTwins has what one request holds twice.
func TestTwins(t *testing.T) {
	t.Parallel()
	bounce, open := item("bounce", ""), item("open", "")
	named := strings.Replace(bounce, `"e1"`, `"e2"`, 1)
	b := decode(t, "["+bounce+","+open+","+named+"]")
	if len(b.Events) != 3 || b.Events[0].ID == b.Events[2].ID {
		t.Fatalf("two names are one event: %+v", b.Events)
	}
	again := decode(t, "["+open+","+named+","+bounce+"]")
	if again.Events[1].ID != b.Events[0].ID || again.Events[2].ID != b.Events[2].ID {
		t.Error("sent again in another order, they are others")
	}
	if b = decode(t, "["+open+","+bounce+","+open+"]"); len(b.Events) != 2 {
		t.Errorf("one event that is told twice under one name becomes %d of 2", len(b.Events))
	}
	const nameless = `{"event":"unsubscribe","email":"a@example.com","timestamp":1767225600}`
	if b = decode(t, "["+nameless+","+nameless+"]"); len(b.Events) != 2 || b.Events[0].ID == b.Events[1].ID {
		t.Errorf("without a name nothing says that two are one: %d", len(b.Events))
	}
}

// TestOneMessageHasOneKey has events of a message, of which some do not name its Message-ID: they are to stay in order.
func TestOneMessageHasOneKey(t *testing.T) {
	t.Parallel()
	delivered, open := decodeOne(t, item("delivered", `,"smtp-id":"<id@example.com>"`)), decodeOne(t, item("open", ""))
	if delivered.Key() != open.Key() || open.Key() != "m1" {
		t.Errorf("%q and %q", delivered.Key(), open.Key())
	}
}
